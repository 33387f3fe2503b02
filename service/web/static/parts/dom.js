/**
 * Builds elements. Every text becomes a text node, so whatever a caption holds, it is never markup.
 */
const SVG = "http://www.w3.org/2000/svg";

/** Return an element: `on...` attributes are listeners, true and false set or leave out the rest. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Return text whose https addresses are links and whose `code` is code. */
export function rich(text) {
  return text.split(/(https:\/\/[^\s,;]+|`[^`]+`)/).map((part) => {
    if (part.startsWith("https://")) {
      return h("a", { href: part, rel: "noreferrer", target: "_blank" }, part.slice("https://".length));
    }
    return part.startsWith("`") && part.endsWith("`") ? h("code", {}, part.slice(1, -1)) : part;
  });
}
