import { chips } from "./chips.js";
import { h } from "./dom.js";
import { evidenceTable } from "./evidence.js";
import { icon } from "./icons.js";
import { imageCard } from "./image_card.js";
import { number, t } from "./language.js";
import { notice, noteLine } from "./notices.js";
import { moreButton } from "./paging.js";
import { questionCard } from "./question_card.js";
import { PAGE_SIZE } from "./request.js";
import { go, state } from "./state.js";

const FOUND = { case: "found_cases", study: "found_studies", series: "found_series" };
/** How hits may be grouped, the usual way first; a whole series is always compared with groups. */
const GROUPS = { image: ["case", "none"], series: ["study", "series", "case"] };

/** So many cards are seen at first on a usual screen. */
const FIRST_SCREEN = 8;

/** Draw a reply: how many, what narrows it, and one card for each hit. */
export function renderResults(place, reply, loadMore) {
  const images = reply.query.target === "images";
  place.replaceChildren(
    ...[
      toolbar(reply, images),
      chips(),
      reply.relevant === false &&
        notice("waiting", t("nothing_relevant"), h("p", {}, t("nothing_relevant_long")), h("p", { class: "hint", lang: "en" }, reply.relevance_reason ?? "")),
      ...reply.notes.map(noteLine),
      reply.hits.length === 0 && notice("calm", t("no_hits"), h("p", {}, t("no_hits_long"))),
      images && evidenceTable(reply.evidence),
      h("div", { class: images ? "grid" : "list", id: "hits" }, cards(reply, FIRST_SCREEN)),
      reply.hits.length >= PAGE_SIZE && moreButton(loadMore),
    ].filter(Boolean),
  );
}

/** Put the next page's cards behind those that are there. */
export function appendResults(place, reply) {
  place.querySelector("#hits").append(...cards(reply));
}

/** Return a card for each hit, those of a first screen filled: what is below it can wait a moment. */
function cards(reply, filled = 0) {
  const card = reply.query.target === "images" ? imageCard : questionCard;
  return reply.hits.map((hit, at) => card(hit, { atOnce: at < filled }));
}

/** Return "first 24 cases in 12 ms", which is also what a screen reader is told. */
export function summary(reply) {
  const kind = reply.query.target === "images" ? FOUND[reply.query.group_by] ?? "found_images" : "found_questions";
  return t(kind, { n: reply.hits.length, ms: number(reply.took_ms, reply.took_ms < 10 ? 1 : 0) });
}

function toolbar(reply, images) {
  return h(
    "div",
    { class: "toolbar" },
    h("h2", { class: "tally", id: "count" }, summary(reply)),
    images && reply.query.kind === "series" && choice("match", ["late_interaction", "best_slice"]),
    images && choice("group", GROUPS[reply.query.kind] ?? GROUPS.image),
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

/** A choice that stands in the address by `name`; the first of the values is left unsaid. */
function choice(name, values) {
  const choose = (event) => go({ [name]: event.target.value === values[0] ? "" : event.target.value });
  const option = (value) => h("option", { value, selected: (state()[name] || values[0]) === value }, t(`${name}_${value}`));
  return h("label", { class: "choice" }, h("span", { class: "unseen" }, t(name)), h("select", { onchange: choose, id: name }, values.map(option)));
}
