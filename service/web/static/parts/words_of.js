/** How values of the data are put into words. */
import { h } from "./dom.js";
import { named, number, t } from "./language.js";

export function titleOf(record) {
  if (record.kind === "text") return record.question;
  return record.caption ?? factsOf(record) ?? record.source_id;
}

/** Return "CT · chest · slice 4" of what an image states, or null if it states nothing. */
export function factsOf(record) {
  const parts = [
    record.modality && named("values", record.modality),
    record.body_part && named("values", record.body_part),
    record.slice_number !== null && record.slice_number !== undefined && t("slice", { n: record.slice_number }),
    record.window && t(`window_${record.window}`),
  ].filter(Boolean);
  return parts.length ? parts.join(" · ") : null;
}

export function valueWords(value) {
  if (value === true || value === "true") return t("yes");
  if (value === false || value === "false") return t("no");
  return typeof value === "number" ? String(Number(value.toFixed(1))) : named("values", value); // 2021, not 2,021
}

/** From which percentile on a hit is called what. */
const GRADES = [[99, "strong"], [95, "good"], [80, "weak"], [0, "chance"]];

/** Return how near a hit is, in words: a percentile says more to people than a cosine does. */
export function nearnessOf(hit) {
  if (hit.percentile === null || hit.percentile === undefined) return null;
  const [, grade] = GRADES.find(([least]) => hit.percentile >= least);
  // Rounded down: nothing is nearer than all others could ever be.
  const share = hit.percentile >= 99 ? Math.min(Math.floor(hit.percentile * 10) / 10, 99.9) : Math.floor(hit.percentile);
  const words = t("beats_share", { share: number(share, 1) });
  const whole = h("span", { class: "of" }, t("beats_of"));
  return h("span", { class: "nearness", title: t("beats_share_long") }, h("strong", { class: grade }, t(`match_${grade}`)), h("span", { class: "between" }, " · "), h("span", { class: "beats" }, words), whole);
}
