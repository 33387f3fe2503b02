import { readFilter } from "./filters.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./language.js";
import { go, state } from "./state.js";
import { valueWords } from "./words_of.js";

/** Everything that narrows the search, each with a button that takes it away. */
export function chips() {
  const { filter, index, less } = state();
  const made = [
    ...filter.map((written) => chip(filterWords(written), () => go({ filter: without(filter, written) }))),
    ...index.map((name) => chip(t("only_index", { name }), () => go({ index: without(index, name) }))),
    ...less.map((id) => chip(t("less_than", { id }), () => go({ less: without(less, id) }))),
  ];
  if (made.length === 0) return null;
  const clearAll = h(
    "li",
    {},
    h("button", { type: "button", class: "quiet", onclick: () => go({ filter: [], index: [], less: [] }) }, t("clear_all")),
  );
  return h("ul", { class: "chips", "aria-label": t("filters") }, made, made.length > 1 && clearAll);
}

function chip(words, remove) {
  return h(
    "li",
    { class: "chip" },
    h("span", {}, words),
    h("button", { type: "button", "aria-label": t("remove", { what: words }), onclick: remove }, icon("close")),
  );
}

function filterWords(written) {
  const filter = readFilter(written);
  if (!filter) return written;
  const sign = { "=": ":", ">=": " ≥", "<=": " ≤" }[filter.sign];
  return `${t(`field_${filter.key}`)}${sign} ${valueWords(filter.value)}`;
}

function without(list, gone) {
  return list.filter((one) => one !== gone);
}
