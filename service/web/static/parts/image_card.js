import { actionsFor } from "./actions.js";
import { thumbnailPath } from "./api.js";
import { h } from "./dom.js";
import { highlight } from "./highlight.js";
import { icon } from "./icons.js";
import { t } from "./language.js";
import { recycled } from "./recycling.js";
import { go } from "./state.js";
import { thumbnail } from "./thumbnail.js";
import { factsOf, nearnessOf, titleOf, valueWords } from "./words_of.js";

const LABELS_SHOWN = 3;
const COUNTED_IN = new Set(["case", "study", "series"]);

/** One hit of an image search: the picture opens the record. */
export function imageCard(hit, { atOnce }) {
  return recycled(h("article", { class: "card", "data-record": hit.record_id }), () => partsOf(hit), { atOnce });
}

function partsOf(hit) {
  const title = titleOf(hit);
  const nearness = nearnessOf(hit);
  return [
    h(
      "button",
      { type: "button", class: "picture", "aria-label": t("open", { title }), onclick: () => go({ record: hit.record_id }) },
      thumbnail(thumbnailPath(hit.record_id), ""),
      stack(hit),
      hit.contradicts && h("span", { class: "badge differs", title: t("contradicts_long") }, t("contradicts")),
    ),
    h(
      "div",
      { class: "about" },
      hit.caption
        ? h("h3", { class: "caption", title: hit.caption }, highlight(hit.caption, hit.matched_words ?? []))
        : h("h3", { class: "caption" }, title),
      h("p", { class: "meta" }, hit.caption && factsOf(hit) && `${factsOf(hit)} · `, h("span", { class: "dataset" }, hit.dataset)),
      labels(hit),
      nearness && h("p", {}, nearness),
      h("p", { class: "licence" }, h("span", { title: hit.licence }, hit.licence), hit.synthetic && h("span", { class: "synthetic" }, t("synthetic"))),
      actionsFor(hit, title),
    ),
  ];
}

function stack(hit) {
  const records = hit.group?.records ?? 1;
  if (records < 2) return null;
  const by = COUNTED_IN.has(hit.group.by) ? hit.group.by : "group";
  const words = t(`images_in_${by}`, { n: records });
  return h("span", { class: "badge stack", title: words }, icon("stack"), h("span", { "aria-label": words }, String(records)));
}

function labels(hit) {
  if (hit.labels.length === 0) return null;
  const shown = hit.labels.slice(0, LABELS_SHOWN).map((label) => h("li", {}, valueWords(label)));
  const more = hit.labels.length - LABELS_SHOWN;
  return h("ul", { class: "labels", "aria-label": t("field_labels") }, shown, more > 0 && h("li", {}, `+${more}`));
}
