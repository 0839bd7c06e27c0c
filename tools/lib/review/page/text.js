// How values are written for a person. Text from a bucket may hold anything.

// What is invisible, or changes how other text is shown: control and format characters (direction overrides, joiners), unpaired, private and
// unassigned ones, line separators, and every space but the plain one.
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const HIDDEN_RUNS = /((?:[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs})+)/u;

/** Returns hidden characters as JSON and Python would escape them. */
function escaped(characters) {
  const units = [...Array(characters.length).keys()].map((index) => characters.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** Returns a text in which nothing is hidden. */
function visible(value) {
  return HIDDEN.test(value) ? value.split(HIDDEN_RUNS).map((part) => (HIDDEN.test(part) ? escaped(part) : part)).join("") : value;
}

/** Returns an element that shows a text in which nothing is hidden, kept apart from the text around it whatever its direction. */
function shown(value, name = "bdi") {
  const parts = HIDDEN.test(value) ? value.split(HIDDEN_RUNS).filter((part) => part !== "") : [value];
  const nodes = parts.map((part) => (HIDDEN.test(part) ? element("span", { class: "hidden-characters" }, escaped(part)) : part));
  return element(name, { dir: "ltr", class: "verbatim" }, ...nodes);
}

/** Returns a time in a video as h:mm:ss, the second begun. */
function timeCode(milliseconds) {
  const seconds = Math.floor(Math.max(milliseconds, 0) / 1000);
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Returns a length of time in words: `under 1 s`, `1.5 s`, `12 min`, `1,203 h 5 min`. */
function length(milliseconds) {
  if (milliseconds < 1_000) return text("under 1 s");
  if (milliseconds < 60_000) return text("{seconds} s", { seconds: decimal(milliseconds / 1000) });
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 60) return text("{minutes} min", { minutes });
  return text("{hours} h {minutes} min", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

/** Returns a moment (epoch seconds) to the minute, in UTC: a page is read in more than one place. */
function moment(seconds) {
  const [year, month, day, time] = new Date(seconds * 1000).toISOString().slice(0, 16).split(/[-T]/);
  return text("{year}-{month}-{day} {time} UTC", { year, month, day, time });
}

/** Returns a percentage with one digit or, where a rule has more and so the value too, all of its digits. */
function percent(value) {
  const digits = String(value).split(".")[1] ?? "";
  return digits.length > 1 ? `${String(value).replace(".", DATA.language.decimal)} %` : `${decimal(value)} %`;
}

/** Returns a share of a whole, never rounding something down to nothing. */
function share(part, whole) {
  if (part === 0 || whole === 0) return "0 %";
  const value = (100 * part) / whole;
  if (value < 0.1) return `< ${percent(0.1)}`;
  return value < 10 ? `${decimal(value)} %` : `${value.toFixed(0)} %`;
}

/** Returns a size in bytes as a person reads it. */
function byteSize(bytes) {
  const units = ["", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return power === 0 ? text("{count} {count:byte|bytes}", { count: bytes }) : `${decimal(bytes / 1024 ** power)} ${units[power]}`;
}
