import { h, svg } from "./dom.js";
import { percent, t } from "./language.js";

const WIDTH = 200;
const HEIGHT = 18;
const MARGIN = 6;
const at = (share) => MARGIN + share * (WIDTH - 2 * MARGIN);

/** So many labels are seen at once, the most telling ones; the others are unfolded. */
const SHOWN = 4;

/** Labels among the nearest cases: their share with its interval, against how common they are. */
export function evidenceTable(rows) {
  if (!rows?.length) return null;
  const rest = rows.slice(SHOWN);
  return h(
    "section",
    { class: "evidence", "aria-labelledby": "evidence-title" },
    h("p", { class: "evidence-head" }, h("strong", { id: "evidence-title" }, t("evidence")), " ", h("small", {}, t("evidence_of", { n: rows[0].of }))),
    table(rows.slice(0, SHOWN)),
    h(
      "details",
      {},
      h("summary", {}, rest.length ? t("evidence_more", { n: rest.length }) : t("evidence_how")),
      rest.length > 0 && table(rest),
      h("p", { class: "hint" }, t("evidence_long")),
    ),
  );
}

function table(rows) {
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ["label", "plot", "nearest", "base"].map((name) => h("th", { scope: "col" }, t(`evidence_${name}`))))),
    h("tbody", {}, rows.map(row)),
  );
}

function row(one) {
  const byChance = one.low <= one.base_rate;
  return h(
    "tr",
    byChance ? { class: "by-chance", title: t("evidence_chance") } : {},
    h("th", { scope: "row" }, one.label, byChance && h("span", { class: "unseen" }, t("evidence_chance"))),
    h("td", { class: "plot" }, plot(one)),
    h("td", {}, t("evidence_cases", { cases: one.cases, of: one.of }), h("small", {}, t("evidence_interval", { low: percent(one.low), high: percent(one.high) }))),
    h("td", {}, percent(one.base_rate, 1)),
  );
}

function plot({ share, low, high, base_rate: base }) {
  const middle = HEIGHT / 2;
  const line = (from, to, kind, half) =>
    svg("line", { x1: from, x2: to, y1: middle - half, y2: middle + half, class: kind });
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true", focusable: "false" },
    line(at(0), at(1), "axis", 0),
    line(at(low), at(high), "interval", 0),
    line(at(base), at(base), "base", 7),
    svg("circle", { cx: at(share), cy: middle, r: 4.5, class: "share" }),
  );
}
