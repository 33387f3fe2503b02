import { actionsFor } from "./actions.js";
import { h } from "./dom.js";
import { highlight } from "./highlight.js";
import { icon } from "./icons.js";
import { named, t } from "./language.js";
import { recycled } from "./recycling.js";
import { go } from "./state.js";
import { nearnessOf } from "./words_of.js";

/** One hit of a question search: what was asked, what is the answer, and on what grounds. */
export function questionCard(hit, { atOnce }) {
  const card = h("article", { class: "card question", "data-record": hit.record_id, lang: langOf(hit) });
  return recycled(card, () => partsOf(hit), { atOnce });
}

function partsOf(hit) {
  const nearness = nearnessOf(hit);
  return [
    h(
      "h3",
      {},
      h("button", { type: "button", class: "plain", onclick: () => go({ record: hit.record_id }) },
        highlight(hit.question, hit.matched_words ?? [])),
    ),
    ...questionBody(hit),
    h(
      "p",
      { class: "meta" },
      h("span", { class: "dataset" }, hit.dataset),
      ` ${[hit.category, named("values", hit.language), hit.licence].filter(Boolean).join(" · ")}`,
      hit.synthetic && h("span", { class: "synthetic" }, t("synthetic")),
      nearness,
    ),
    actionsFor(hit, hit.question),
  ];
}

/** What follows a question: note, options, answer, calculator, reasoning. */
export function questionBody(record) {
  const words = record.matched_words ?? [];
  return [
    record.context && folded(t("patient_note"), highlight(record.context, words)),
    record.options.length > 0 && options(record),
    h("p", { class: "answer" }, h("span", { class: "tag" }, t("answer")), " ", highlight(record.answer, words)),
    record.calculator && calculator(record),
    record.reasoning && folded(t("reasoning"), highlight(record.reasoning, words)),
  ].filter(Boolean);
}

function options(record) {
  const right = new Set(record.answer_keys);
  return h(
    "ul",
    { class: "options", "aria-label": t("options") },
    record.options.map(({ key, text }) =>
      h(
        "li",
        right.has(key) ? { class: "right" } : {},
        h("span", { class: "key" }, key),
        h("span", {}, text),
        right.has(key) && [icon("check"), h("span", { class: "unseen" }, t("correct"))],
      ),
    ),
  );
}

function calculator(record) {
  const limits = record.answer_lower && record.answer_upper;
  return h(
    "dl",
    { class: "calculator" },
    h("div", {}, h("dt", {}, t("field_calculator")), h("dd", {}, record.calculator)),
    limits &&
      h("div", {}, h("dt", {}, t("limits")), h("dd", {}, t("from_to", { from: record.answer_lower, to: record.answer_upper }))),
  );
}

function folded(summary, content) {
  return h("details", {}, h("summary", {}, summary), h("p", { class: "prose" }, content));
}

function langOf(record) {
  return record.language === "zh" ? "zh-Hans" : record.language;
}
