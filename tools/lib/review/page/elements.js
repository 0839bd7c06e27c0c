// Elements are made only here: every text is inserted as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Returns an element; attributes that are null or false are left out, true means an attribute without a value, children may be strings. */
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Returns an SVG element, likewise. */
function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** Returns a button that does something. */
function button(attributes, action, ...children) {
  const node = element("button", { type: "button", ...attributes }, ...children);
  node.addEventListener("click", action);
  return node;
}

/** Returns the element of the page with this id. */
function byId(id) {
  return document.getElementById(id);
}

/** Announces a sentence to people who do not see the page change. */
function say(sentence) {
  byId("message").textContent = sentence;
}
