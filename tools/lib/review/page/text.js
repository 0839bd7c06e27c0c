// How values are written for a person.

import { DATA } from "./data.js";
import { decimal, text } from "./language.js";

/** Returns a time in a video as h:mm:ss, the second begun. */
export function timeCode(milliseconds) {
  const seconds = Math.floor(Math.max(milliseconds, 0) / 1000);
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Returns a length of time in words: `under 1 s`, `1.5 s`, `12 min`, `1,203 h 5 min`. */
export function length(milliseconds) {
  if (milliseconds < 1_000) return text("under 1 s");
  if (milliseconds < 60_000) return text("{seconds} s", { seconds: decimal(milliseconds / 1000) });
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 60) return text("{minutes} min", { minutes });
  return text("{hours} h {minutes} min", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

/** Returns a moment (epoch seconds) to the minute, in UTC: a page is read in more than one place. */
export function moment(seconds) {
  const [year, month, day, time] = new Date(seconds * 1000).toISOString().slice(0, 16).split(/[-T]/);
  return text("{year}-{month}-{day} {time} UTC", { year, month, day, time });
}

/** Returns a percentage with one digit or, where a rule has more and so the value too, all of its digits. */
export function percent(value) {
  const digits = String(value).split(".")[1] ?? "";
  return digits.length > 1 ? `${String(value).replace(".", DATA.language.decimal)} %` : `${decimal(value)} %`;
}

/** Returns a share of a whole, never rounding something down to nothing. */
export function share(part, whole) {
  if (part === 0 || whole === 0) return "0 %";
  const value = (100 * part) / whole;
  if (value < 0.1) return `< ${percent(0.1)}`;
  return value < 10 ? `${decimal(value)} %` : `${value.toFixed(0)} %`;
}

/** Returns a size in bytes as a person reads it. */
export function byteSize(bytes) {
  const units = ["", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return power === 0 ? text("{count} {count:byte|bytes}", { count: bytes }) : `${decimal(bytes / 1024 ** power)} ${units[power]}`;
}
