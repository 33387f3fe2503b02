import { h } from "./dom.js";

/** Return a text's pieces, those that matched the query marked; whole words where words have ends. */
export function highlight(text, words = []) {
  const wanted = words.filter(Boolean).sort((one, other) => other.length - one.length);
  if (wanted.length === 0) return [text];
  const source = `(${wanted.map(asPattern).join("|")})`;
  if (source !== last.source) last = new RegExp(source, "giu"); // most records share the same words
  return text.split(last).map((part, place) => (place % 2 ? h("mark", {}, part) : part));
}

let last = /()/;

function asPattern(word) {
  const literal = word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  // The service may match a word by its stem, so a match runs on to the word's end.
  return /^[\p{Script=Latin}\p{N}]+$/u.test(word) ? `(?<![\\p{L}\\p{N}])${literal}\\p{Script=Latin}*` : literal;
}
