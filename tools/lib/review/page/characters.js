// Text from a bucket may hold anything: here it is written so that nothing in it hides.

import { element } from "./elements.js";

// What is invisible, or changes how other text is shown: control and format characters (direction overrides, joiners), unpaired, private and
// unassigned ones, line separators, and every space but the plain one.
export const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const HIDDEN_RUNS = /((?:[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs})+)/u;

/** Returns hidden characters as JSON and Python would escape them. */
function escaped(characters) {
  const units = [...Array(characters.length).keys()].map((index) => characters.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** Returns a text in which nothing is hidden. */
export function visible(value) {
  return HIDDEN.test(value) ? value.split(HIDDEN_RUNS).map((part) => (HIDDEN.test(part) ? escaped(part) : part)).join("") : value;
}

/**
 * Returns an element that shows a text in which nothing is hidden, kept apart from the text around it whatever its direction.
 * @param {string} value
 * @param {"bdi" | "span"} name
 */
export function shown(value, name = "bdi") {
  const parts = HIDDEN.test(value) ? value.split(HIDDEN_RUNS).filter((part) => part !== "") : [value];
  const nodes = parts.map((part) => (HIDDEN.test(part) ? element("span", { class: "hidden-characters" }, escaped(part)) : part));
  return element(name, { dir: "ltr", class: "verbatim" }, ...nodes);
}
