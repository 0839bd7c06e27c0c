// How values are written for a person. Text from a bucket may hold anything.

// What is not seen, or steers what is seen: control and format characters (direction overrides, joiners), unpaired, private and
// unassigned ones, line separators, and every space but the plain one.
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const HIDDEN_RUNS = /((?:[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs})+)/u;

/** Returns hidden characters as JSON and Python would escape them. */
function escaped(text) {
  const units = [...Array(text.length).keys()].map((index) => text.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** Returns a text in which nothing is hidden. */
function visible(text) {
  return HIDDEN.test(text) ? text.split(HIDDEN_RUNS).map((part) => (HIDDEN.test(part) ? escaped(part) : part)).join("") : text;
}

/** Returns an element that shows a text in which nothing is hidden, kept apart from the text around it whatever its direction. */
function shown(text, name = "bdi") {
  const parts = HIDDEN.test(text) ? text.split(HIDDEN_RUNS).filter((part) => part !== "") : [text];
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
  if (milliseconds < 1_000) return "under 1 s";
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const minutes = Math.round(milliseconds / 60_000);
  return minutes < 60 ? `${minutes} min` : `${count(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/** Returns a moment (epoch seconds) to the minute, in UTC: a page is read in more than one place. */
function moment(seconds) {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

const NUMBERS = new Intl.NumberFormat("en-US");

/** Returns a whole number with thousands separated. */
function count(number) {
  return NUMBERS.format(number);
}

/** Returns a number of things: `1 video`, `2,000 videos`. */
function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** Returns a confidence. */
function percent(value) {
  return `${value.toFixed(1)} %`;
}

/** Returns a share of a whole, never rounding something down to nothing. */
function share(part, whole) {
  if (part === 0 || whole === 0) return "0 %";
  const value = (100 * part) / whole;
  return value < 0.1 ? "< 0.1 %" : `${value.toFixed(value < 10 ? 1 : 0)} %`;
}

/** Returns a size in bytes as a person reads it. */
function byteSize(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return power === 0 ? counted(bytes, "byte") : `${(bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}
