import { h } from "./dom.js";
import { FACET_FIELDS } from "./fields.js";
import { readFilter, writeFilter } from "./filters.js";
import { number, t } from "./language.js";
import { go, state } from "./state.js";
import { valueWords } from "./words_of.js";

const SHOWN = 6;

/** Fields with their values and counts; a tick narrows the search. */
export function renderFacets(place, facets) {
  const groups = facets ? FACET_FIELDS[state().mode].map((key) => facetGroup(key, facets[key] ?? [])) : [];
  const shown = groups.filter(Boolean);
  place.hidden = shown.length === 0;
  if (place.hidden) return;
  const wasOpen = place.querySelector("details")?.open ?? matchMedia("(min-width: 60rem)").matches;
  place.replaceChildren(
    h("button", { type: "button", class: "skip" }, t("skip")),
    h("details", { open: wasOpen }, h("summary", {}, h("h2", {}, t("filters"))), ages(), shown),
  );
}

function facetGroup(key, values) {
  const chosen = new Set(chosenValues(key));
  const counted = values.filter(({ value }) => value !== null);
  const present = new Set(counted.map(({ value }) => String(value)));
  // What is chosen stays in sight, also where other filters leave nothing of it.
  const listed = [...counted, ...[...chosen].filter((value) => !present.has(value)).map((value) => ({ value, records: 0 }))];
  if (listed.length < 2 && chosen.size === 0) return null;
  const rows = listed.map(({ value, records }) => facetValue(key, String(value), records, chosen));
  return h(
    "fieldset",
    { class: "facet" },
    h("legend", {}, t(`field_${key}`)),
    rows.slice(0, SHOWN),
    rows.length > SHOWN &&
      h("details", { class: "more" }, h("summary", {}, t("more_values", { n: rows.length - SHOWN })), rows.slice(SHOWN)),
  );
}

function facetValue(key, value, records, chosen) {
  const toggle = (event) => {
    const written = writeFilter(key, value);
    const rest = state().filter.filter((one) => one !== written);
    go({ filter: event.target.checked ? [...rest, written] : rest });
  };
  return h(
    "label",
    {},
    h("input", { type: "checkbox", checked: chosen.has(value), onchange: toggle, "data-facet": writeFilter(key, value) }),
    h("span", { class: "value" }, valueWords(value)),
    h("span", { class: "count" }, number(records)),
  );
}

function chosenValues(key) {
  return state()
    .filter.map(readFilter)
    .filter((filter) => filter?.key === key && filter.sign === "=")
    .map((filter) => filter.value);
}

/** Two numbers for the patient's age, images only. */
function ages() {
  if (state().mode === "questions") return null;
  const bound = (sign) => state().filter.map(readFilter).find((one) => one?.key === "age_years" && one.sign === sign)?.value;
  const field = (sign, word) =>
    h("label", {}, h("span", {}, t(word)), h("input", { type: "number", min: "0", max: "120", value: bound(sign) ?? "", onchange: (event) => setAge(sign, event.target.value) }));
  return h("fieldset", { class: "facet ages" }, h("legend", {}, t("field_age_years")), field(">=", "from"), field("<=", "to"));
}

function setAge(sign, value) {
  const rest = state().filter.filter((one) => !one.startsWith(`age_years${sign}`));
  go({ filter: value ? [...rest, writeFilter("age_years", value, sign)] : rest });
}
