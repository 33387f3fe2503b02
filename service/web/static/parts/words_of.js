/** How values of the data are put into words. */
import { language, named, number, t } from "./language.js";

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
  ].filter(Boolean);
  return parts.length ? parts.join(" · ") : null;
}

export function valueWords(value) {
  if (value === true || value === "true") return t("yes");
  if (value === false || value === "false") return t("no");
  return typeof value === "number" ? number(value, 1) : named("values", value);
}

export function percent(share, digits = 0) {
  return share.toLocaleString(language(), { style: "percent", maximumFractionDigits: digits });
}

/** Return how near a hit is, in words: a percentile says more to people than a cosine does. */
export function nearnessOf(hit) {
  if (hit.percentile === null || hit.percentile === undefined) return null;
  const percentile = Math.min(hit.percentile, 99.9);
  return t("closer_than", { share: number(percentile, percentile >= 99 ? 1 : 0) });
}
