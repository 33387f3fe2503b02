/** What stands below the box before anything was asked: examples, and what is indexed. */
import { askJson, thumbnailPath } from "./api.js";
import { h, rich } from "./dom.js";
import { named, number, t } from "./language.js";
import { go, state } from "./state.js";
import { searchLike } from "./actions.js";
import { icon } from "./icons.js";
import { thumbnail } from "./thumbnail.js";
import { titleOf } from "./words_of.js";

/** Queries that are worth asking where these datasets are indexed. */
const EXAMPLES = {
  words: [
    ["rocov2", "chest X-ray with pleural effusion"],
    ["tcga_luad", "chest CT with contrast"],
    ["mura", "fracture of the wrist"],
    ["tcga_kich", "kidney CT"],
    ["rocov2", "ultrasound of the abdomen"],
    ["cancer_ct", "CT of the chest without contrast"],
    ["own_images", "X-ray"],
  ],
  questions: [
    ["medical_o1_sft", "How is anaphylaxis treated first?"],
    ["medcalc_bench", "creatinine clearance by Cockcroft and Gault"],
    ["medqa", "A man with crushing chest pain and sweating: which drug first?"],
    ["jmed", "胸痛伴出汗应首先做什么检查？"],
    ["ai_medical_chatbot", "I have had a headache for a week, should I worry?"],
  ],
};
const MOST_EXAMPLES = 5;
const PICTURES = 6;

export function renderExamples(place, indexes) {
  const { mode } = state();
  if (mode === "picture") {
    void renderPictures(place, indexes);
    return;
  }
  const names = new Set(indexes.map(({ dataset }) => dataset));
  const fitting = EXAMPLES[mode].filter(([dataset]) => names.has(dataset)).slice(0, MOST_EXAMPLES);
  place.replaceChildren(
    h("h2", { class: "small-title", id: "examples-title", hidden: fitting.length === 0 }, t("try")),
    h("ul", {}, fitting.map(([, q]) => h("li", {}, h("button", { type: "button", class: "example", onclick: () => go({ q }) }, q)))),
  );
}

let drawing = 0;

/** A few indexed pictures to start from, for those who have none at hand. */
async function renderPictures(place, indexes) {
  drawing += 1;
  const own = drawing;
  place.replaceChildren(h("h2", { class: "small-title", id: "examples-title" }, t("try_pictures")));
  const images = indexes.filter(({ kind }) => kind === "image");
  const replies = await Promise.allSettled(
    images.slice(0, PICTURES).map(({ name }) => askJson("/v1/search/text", { body: { query: "image", k: 1, indexes: [name] } })),
  );
  const hits = replies.flatMap(({ value }) => value?.hits ?? []);
  const buttons = hits.map((hit) =>
    h("li", {}, h("button", { type: "button", class: "start", "aria-label": t("similar_to", { title: titleOf(hit) }), onclick: () => searchLike(hit) }, thumbnail(thumbnailPath(hit.record_id), "", { eager: true }))),
  );
  if (own !== drawing || state().mode !== "picture") return;
  if (hits.length === 0) place.replaceChildren();
  else place.append(h("ul", { class: "starts" }, buttons));
}

export function renderCollections(place, indexes) {
  const rows = [...indexes].sort((one, other) => one.kind.localeCompare(other.kind) || one.name.localeCompare(other.name));
  place.replaceChildren(
    h("h2", { class: "small-title", id: "collections-title" }, t("collections")),
    h("ul", {}, rows.map(collection)),
  );
}

function collection(index) {
  return h(
    "li",
    { class: "collection" },
    h("h3", {}, index.name),
    h("p", {}, t(index.kind === "image" ? "n_images" : "n_questions", { n: index.records }), index.synthetic && h("span", { class: "synthetic" }, t("synthetic"))),
    h("p", { class: "licence" }, index.licence),
    index.fields.some(({ vectors }) => vectors) &&
      h("button", { type: "button", class: "action", "aria-label": t("map_of", { name: index.name }), onclick: () => go({ map: index.name }) }, icon("map"), h("span", { "aria-hidden": "true" }, t("map"))),
    h("details", {}, h("summary", {}, t("citation")), h("p", { class: "prose" }, rich(index.citation)),
      h("p", { class: "hint" }, index.fields.map(({ name, encoder }) => `${named("legs", name)}: ${encoder}`).join(" · ") || t("words_only"))),
  );
}

export function holdingsWords(indexes) {
  const records = indexes.reduce((sum, { records: count }) => sum + count, 0);
  return t("holdings", { n: indexes.length, records: number(records) });
}
