import { recall, remember } from "./memory.js";
import { WORDS as en } from "../words/en.js";
import { WORDS as zh } from "../words/zh.js";

const LANGUAGES = { en, zh };

let current = recall("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
if (!(current in LANGUAGES)) current = "en";

export function language() {
  return current;
}

/** Return the words of a key with {names} filled in; a number called n picks one of two forms. */
export function t(key, values = {}) {
  const words = LANGUAGES[current][key];
  const pattern = Array.isArray(words) ? words[values.n === 1 ? 0 : 1] : words;
  return pattern.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : String(value);
  });
}

/** Return the words for a field or value of the data, or the value itself where there are none. */
export function named(kind, value) {
  return LANGUAGES[current][kind][value] ?? String(value);
}

/** Write a number as both languages do; the browser's own tables of them take 10 ms to be ready. */
export function number(value, digits = 0) {
  const [whole, fraction] = String(Number(value.toFixed(digits))).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction ? `${grouped}.${fraction}` : grouped;
}

export function percent(share, digits = 0) {
  return `${number(100 * share, digits)}%`;
}

/** Fill the fixed parts of the page, which name their words in data-words. */
export function fillWords(root = document) {
  document.documentElement.lang = current === "zh" ? "zh-Hans" : "en";
  for (const element of root.querySelectorAll("[data-words]")) {
    element.textContent = t(element.dataset.words);
  }
  for (const element of root.querySelectorAll("[data-words-label]")) {
    element.setAttribute("aria-label", t(element.dataset.wordsLabel));
  }
}

/** Make a button switch the language; `changed` then draws everything anew. */
export function mountLanguage(button, changed) {
  const render = () => {
    button.textContent = current === "en" ? "中文" : "English";
    button.lang = current === "en" ? "zh-Hans" : "en";
  };
  button.addEventListener("click", () => {
    current = current === "en" ? "zh" : "en";
    remember("language", current);
    changed();
  });
  return { render };
}
