import { actionsFor } from "./actions.js";
import { askJson, recordPath } from "./api.js";
import { copyButton } from "./copy.js";
import { h, rich } from "./dom.js";
import { highlight } from "./highlight.js";
import { icon } from "./icons.js";
import { t } from "./language.js";
import { errorNotice } from "./notices.js";
import { questionBody } from "./question_card.js";
import { sliceViewer } from "./slice_viewer.js";
import { go, state } from "./state.js";
import { passes, whenReady } from "./waiting.js";
import { nearnessOf, titleOf, valueWords } from "./words_of.js";
import { whyMatched } from "./why.js";

const FACTS = [
  "modality", "body_part", "labels", "concepts", "age_years", "sex", "contrast", "abnormal",
  "slice_number", "category", "calculator", "language", "dataset", "split", "source_id", "case_id", "article_id", "year",
];

/** A dialog that shows one record whole; `hits()` are the results it may have come from. */
export function mountRecordView(dialog, hits) {
  let shown = "";

  dialog.addEventListener("close", () => {
    if (state().record) go({ record: "" });
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the curtain around the dialog
  });

  async function render() {
    const wanted = state().record;
    if (!wanted) {
      shown = "";
      if (dialog.open) dialog.close();
      return;
    }
    if (wanted === shown && dialog.open) return;
    shown = wanted;
    const hit = hits().find((one) => one.record_id === wanted);
    try {
      const record = { ...(await askJson(recordPath(wanted))), ...hit };
      if (state().record !== wanted) return;
      draw(record);
    } catch (error) {
      dialog.classList.add("text");
      dialog.replaceChildren(head(null), errorNotice(error, redraw));
      if (passes(error)) whenReady("record", () => state().record === wanted && redraw());
    }
    if (!dialog.open) dialog.showModal();
  }

  function draw(record) {
    const facts = h("div", { class: "facts" }, factsOf(record));
    const body = h("div", { class: "record-body" });
    if (record.kind === "image") {
      const viewer = sliceViewer(record.record_id, titleOf(record), (id) => void showSlice(id));
      void leaf(record, viewer);
      body.append(viewer.element);
    }
    body.append(facts);
    dialog.classList.toggle("text", record.kind === "text");
    dialog.replaceChildren(head(record), body);

    /** Another slice: its own facts, its own place in the address, no new step back. */
    async function showSlice(id) {
      shown = id;
      go({ record: id }, { replace: true });
      const slice = await askJson(recordPath(id)).catch(() => null);
      if (slice && shown === id) facts.replaceChildren(...factsOf({ ...slice, ...hits().find((one) => one.record_id === id) }));
    }
  }

  function head(record) {
    return h(
      "header",
      { class: "dialog-head" },
      h("h2", { id: "record-title" }, record ? t(record.kind === "image" ? "record_image" : "record_question") : t("record")),
      neighbours(),
      h("button", { type: "button", class: "quiet", "aria-label": t("close"), title: t("close"), id: "record-close", onclick: () => dialog.close() }, icon("close")),
    );
  }

  function neighbours() {
    const ids = hits().map((hit) => hit.record_id);
    const at = ids.indexOf(shown);
    if (at < 0) return null;
    const button = (name, to) =>
      h("button", { type: "button", class: "quiet", "aria-label": t(`${name}_result`), title: t(`${name}_result`), disabled: !ids[to], onclick: () => go({ record: ids[to] }, { replace: true }) }, icon(name));
    return h("span", { class: "neighbours" }, button("previous", at - 1), t("result_of", { n: at + 1, all: ids.length }), button("next", at + 1));
  }

  const redraw = () => {
    shown = "";
    return render();
  };
  return { render, redraw };
}

/** Load the case of a record, and let the viewer leaf through the series that the record is in. */
async function leaf(record, viewer) {
  const found = await askJson(`${recordPath(record.record_id)}/case`).catch(() => null);
  if (!found) return;
  const series = new Map();
  for (const { record_id: id, series_id: name, windows = [] } of found.members) series.set(name, [...(series.get(name) ?? []), { id, windows }]);
  viewer.setSeries([...series.values()]);
}

function factsOf(record) {
  const words = record.matched_words ?? [];
  const nearness = nearnessOf(record);
  const attribution = record.attribution ?? t("no_attribution");
  return [
    record.synthetic && h("p", { class: "banner" }, t("synthetic_long")),
    record.kind === "image"
      ? record.caption && h("p", { class: "full-caption" }, highlight(record.caption, words))
      : [h("p", { class: "full-question" }, highlight(record.question, words)), ...questionBody(record)],
    nearness && h("p", {}, nearness),
    actions(record),
    viewerLink(record),
    record.why && whyMatched(record),
    h("h3", {}, t("facts")),
    h("dl", { class: "fact-list" }, FACTS.filter((key) => isStated(record[key])).map((key) => fact(key, record[key]))),
    h("h3", {}, t("licence_title")),
    h("p", {}, rich(record.licence)),
    h("p", { class: "hint" }, rich(attribution)),
    h("p", { class: "record-id" }, h("code", {}, record.record_id), copyButton(t("copy"), () => record.record_id)),
  ].flat().filter(Boolean);
}

/** What every result has, and the way to the record's place among all others of its index. */
function actions(record) {
  const shown = () => go({ map: record.index, spot: record.record_id, record: "" });
  const row = actionsFor(record, titleOf(record));
  row.append(h("button", { type: "button", class: "action", onclick: shown }, icon("map"), t("on_map")));
  return row;
}

/** Where the operator's own viewer shows the study, if one was set up. */
function viewerLink(record) {
  if (!/^https?:/.test(record.viewer_url ?? "")) return null;
  return h("p", {}, h("a", { href: record.viewer_url, rel: "noreferrer", target: "_blank" }, t("viewer")));
}

function fact(key, value) {
  const words = Array.isArray(value) ? value.map(valueWords).join(", ") : valueWords(value);
  return h("div", {}, h("dt", {}, t(`field_${key}`)), h("dd", {}, words));
}

function isStated(value) {
  return value !== null && value !== undefined && value !== "" && (!Array.isArray(value) || value.length > 0);
}
