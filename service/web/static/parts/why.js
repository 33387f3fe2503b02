import { h } from "./dom.js";
import { named, number, t } from "./language.js";

/** Why a record matched: where each ranking put it, and which words it shares with the query. */
export function whyMatched(hit) {
  const places = Object.entries(hit.why).sort(([, one], [, other]) => one.rank - other.rank);
  return h(
    "section",
    { class: "why" },
    h("h3", {}, t("why")),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("why_field")), h("th", { scope: "col" }, t("why_rank")), h("th", { scope: "col" }, t("why_score")))),
      h(
        "tbody",
        {},
        places.map(([leg, { rank, score, field }]) =>
          h("tr", {}, h("th", { scope: "row" }, named("legs", leg), field?.endsWith("_window") && ` (${t(`window_${field.replace(/_window$/, "")}`)})`), h("td", {}, t("rank", { n: rank })), h("td", {}, number(score, 3))),
        ),
      ),
    ),
    hit.matched_words?.length > 0 && h("p", {}, t("matched_words"), " ", hit.matched_words.map((word) => [h("mark", {}, word), " "]).flat()),
    hit.contradicts && h("p", { class: "differs" }, t("contradicts_long")),
    hit.group?.records > 1 && h("p", { class: "hint" }, t("stands_for", { n: hit.group.records })),
  );
}
