// Elements are made only here: every text is inserted as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Returns an element; attributes that are null or false are left out, true means an attribute without a value, children may be strings.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, unknown>} attributes
 * @param {any[]} children
 */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/**
 * Returns an SVG element, likewise.
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, unknown>} attributes
 * @param {any[]} children
 */
export function drawn(name, attributes = {}, ...children) {
  return filled(/** @type {SVGElementTagNameMap[Name]} */ (document.createElementNS(SVG, name)), attributes, children);
}

/**
 * @template {Element} Node
 * @param {Node} node
 * @param {Record<string, unknown>} attributes
 * @param {any[]} children
 */
function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * Returns a button that does something.
 * @param {Record<string, unknown>} attributes
 * @param {(event: MouseEvent) => void} action
 * @param {any[]} children
 */
export function button(attributes, action, ...children) {
  const node = element("button", { type: "button", ...attributes }, ...children);
  node.addEventListener("click", action);
  return node;
}

/**
 * Returns the element of the page with this id.
 * @param {string} id
 */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * Returns the field, choice or button of the page with this id.
 * @param {string} id
 */
export function control(id) {
  return /** @type {HTMLInputElement} */ (document.getElementById(id));
}

/**
 * Returns the dialog of the page with this id.
 * @param {string} id
 */
export function dialog(id) {
  return /** @type {HTMLDialogElement} */ (document.getElementById(id));
}

/**
 * Returns the first element below another one that a selector matches.
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function within(parent, selector) {
  return parent.querySelector(selector);
}

/**
 * Announces a sentence to people who do not see the page change.
 * @param {string} sentence
 */
export function say(sentence) {
  byId("message").textContent = sentence;
}
