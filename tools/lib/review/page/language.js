// The page's sentences in its language. A sentence is written in English where it is used, as a literal, so that a
// test can compare it with the languages (handlers/domain/languages); what a language lacks is shown in English.

import { shown } from "./characters.js";
import { DATA } from "./data.js";
import { element } from "./elements.js";

const SENTENCES = new Map(Object.entries(DATA.language.sentences));
const LABEL_NAMES = new Map(Object.entries(DATA.language.labels));
const NUMBERS = new Intl.NumberFormat(DATA.language.code);
const PLACEHOLDER = /\{(\w+)(?::([^|{}]*)\|([^|{}]*))?\}/g;

/** Returns a sentence with its values: `{name}` is a value, `{name:one|many}` is chosen by it. */
export function text(sentence, values = {}) {
  return word(sentence).replace(PLACEHOLDER, (_, name, one, many) => {
    const value = values[name];
    if (one !== undefined) return value === 1 ? one : many;
    return typeof value === "number" ? count(value) : value;
  });
}

/** Returns a sentence as children of an element, in which values may be elements. */
export function phrase(sentence, values) {
  const pieces = word(sentence).split(/\{(\w+)\}/);
  return pieces.map((piece, index) => (index % 2 ? values[piece] : piece));
}

/** Returns a word that is chosen while running, such as the name of a state. */
export function word(english) {
  return SENTENCES.get(english) ?? english;
}

/** Returns the name of a label in the page's language; one that is not in AWS's taxonomy as it is. */
export function labelName(name) {
  return LABEL_NAMES.get(name) ?? name;
}

/** Returns an element that shows a label; where its name is translated, AWS's is its title. */
export function shownLabel(name) {
  const node = shown(labelName(name));
  if (LABEL_NAMES.has(name)) node.title = name;
  return node;
}

/** Returns AWS's name of a label in parentheses where the page translates it: by it a label is found in AWS and in JSON. */
export function originalName(name) {
  return LABEL_NAMES.has(name) ? element("span", { class: "muted", lang: "en" }, ` (${name})`) : null;
}

/** Returns a whole number. */
export function count(number) {
  return NUMBERS.format(number);
}

/** Returns a number with one digit after the decimal separator. */
export function decimal(number) {
  return number.toFixed(1).replace(".", DATA.language.decimal);
}

/** Returns a word as the first of a sentence. */
export function capital(name) {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
