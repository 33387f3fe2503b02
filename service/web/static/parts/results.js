import { chips } from "./chips.js";
import { h } from "./dom.js";
import { evidenceTable } from "./evidence.js";
import { icon } from "./icons.js";
import { imageCard } from "./image_card.js";
import { number, t } from "./language.js";
import { notice } from "./notices.js";
import { moreButton } from "./paging.js";
import { questionCard } from "./question_card.js";
import { PAGE_SIZE } from "./request.js";
import { go, state } from "./state.js";

/** Draw a reply: how many, what narrows it, and one card for each hit. */
export function renderResults(place, reply, loadMore) {
  const images = reply.query.target === "images";
  place.replaceChildren(
    ...[
      toolbar(reply, images),
      chips(),
      reply.relevant === false &&
        notice("waiting", t("nothing_relevant"), h("p", {}, t("nothing_relevant_long")), h("p", { class: "hint" }, reply.relevance_reason ?? "")),
      ...reply.notes.map((note) => h("p", { class: "note" }, note.message)),
      reply.hits.length === 0 && notice("calm", t("no_hits"), h("p", {}, t("no_hits_long"))),
      images && evidenceTable(reply.evidence),
      h("div", { class: images ? "grid" : "list", id: "hits" }, cards(reply)),
      reply.hits.length >= PAGE_SIZE && moreButton(loadMore),
    ].filter(Boolean),
  );
}

/** Put the next page's cards behind those that are there. */
export function appendResults(place, reply) {
  place.querySelector("#hits").append(...cards(reply));
}

function cards(reply) {
  return reply.hits.map(reply.query.target === "images" ? imageCard : questionCard);
}

/** Return "first 24 cases in 12 ms", which is also what a screen reader is told. */
export function summary(reply) {
  const grouped = reply.hits.some((hit) => hit.group?.by === "case");
  const kind = reply.query.target === "images" ? (grouped ? "found_cases" : "found_images") : "found_questions";
  return t(kind, { n: reply.hits.length, ms: number(reply.took_ms, reply.took_ms < 10 ? 1 : 0) });
}

function toolbar(reply, images) {
  return h(
    "div",
    { class: "toolbar" },
    h("h2", { class: "tally", id: "count" }, summary(reply)),
    images && grouping(),
    reply.hits.length > 0 && mapButton(reply.hits),
    h("button", { type: "button", class: "plain-button", id: "make-prompt", onclick: () => go({ prompt: "open" }) }, icon("prompt"), t("make_prompt")),
  );
}

/** Opens the map of the index that most of the hits are in. */
function mapButton(hits) {
  const counts = new Map();
  for (const { index } of hits) counts.set(index, (counts.get(index) ?? 0) + 1);
  const [[most]] = [...counts].sort(([, one], [, other]) => other - one);
  return h("button", { type: "button", class: "plain-button", id: "show-map", onclick: () => go({ map: most }) }, icon("map"), t("map"));
}

function grouping() {
  const choose = (event) => go({ group: event.target.value === "case" ? "" : event.target.value });
  const option = (value) => h("option", { value, selected: (state().group || "case") === value }, t(`group_${value}`));
  return h("label", { class: "grouping" }, h("span", { class: "unseen" }, t("group")), h("select", { onchange: choose, id: "group" }, ["case", "none"].map(option)));
}
