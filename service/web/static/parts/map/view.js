/** The map of an index in a dialog: like lies by like, and the search and its hits stand out. */
import { ServiceError } from "../api.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { number, t } from "../language.js";
import { recall, remember } from "../memory.js";
import { errorNotice } from "../notices.js";
import { go, state } from "../state.js";
import { passes, whenReady } from "../waiting.js";
import { mountGestures } from "./gestures.js";
import { mountKeys } from "./keys.js";
import { mountPlot } from "./plot.js";
import { groupsOf, loadMap, locate, middleOf, statedAt } from "./points.js";
import { hitList, legend } from "./side.js";
import { mountTip } from "./tip.js";

const FIRST_HITS = 10;
const ZOOM_STEP = 1.4;

/** `indexes()` and `hits()` return what is there now: the listed indexes, the hits of the search. */
export function mountMapView(dialog, indexes, hits) {
  let shown = "";
  let marked = null;
  let map = null;
  let parts = null;

  dialog.addEventListener("close", () => {
    if (state().map) go({ map: "", spot: "" });
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the curtain around the dialog
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => parts?.plot.redraw());

  async function render() {
    const name = state().map;
    if (!name) {
      shown = "";
      if (dialog.open) dialog.close();
    } else if (name !== shown) await open(name);
    else if (map && marked !== hits()) await mark();
    else if (map) await showSpot();
  }

  async function open(name) {
    shown = name;
    map = null;
    parts = frame(name);
    listIndexes();
    dialog.replaceChildren(parts.head, parts.body);
    if (!dialog.open) dialog.showModal();
    try {
      const loaded = await loadMap(name);
      if (shown !== name) return;
      map = loaded;
      parts.about.replaceChildren(...aboutMap(map));
      parts.chooser.replaceChildren(...colourings(map));
      recolour();
      await mark();
    } catch (error) {
      if (shown !== name) return;
      parts.body.replaceChildren(failed(error));
      parts.body.classList.add("failed");
    }
    parts.body.removeAttribute("aria-busy");
  }

  /** What to show where the service refuses, with what follows once it answers again. */
  function failed(error) {
    if (!(error instanceof ServiceError)) throw error; // a mistake of the page's own
    const name = shown;
    if (passes(error)) whenReady("map", () => state().map === name && redraw());
    return errorNotice(error, redraw);
  }

  function frame(name) {
    const canvas = h("canvas", { tabindex: "0", autofocus: true, role: "application", "aria-label": t("map_of", { name }), "aria-describedby": "map-keys map-about" });
    const probe = h("i", { hidden: true });
    const stage = h("div", { class: "map-stage" }, canvas, probe);
    const plot = mountPlot(canvas, (colour) => {
      probe.className = `swatch ${colour}`;
      return getComputedStyle(probe).backgroundColor;
    });
    const tip = mountTip(stage);
    const said = h("p", { class: "unseen", role: "status" });
    const about = h("p", { id: "map-about", class: "map-about" }, t("map_loading"));
    const chooser = h("select", { id: "map-colour", onchange: (event) => { remember("map_colour", event.target.value); recolour(); } });
    const legendPlace = h("div", {});
    const hitPlace = h("div", { class: "map-found" });
    const side = h("div", { class: "map-side" }, h("label", { class: "map-choice", for: "map-colour" }, h("span", {}, t("map_colour"))), legendPlace, hitPlace, h("p", { id: "map-keys", class: "hint" }, t("map_keys")));
    side.querySelector("label").append(chooser);
    stage.append(tools(plot), said);
    const look = (spot) => lookAt(spot);
    mountGestures(canvas, plot, {
      hover: (x, y, reach) => look(map && plot.nearest(map.spots, x, y, reach)),
      press: (x, y, reach) => { const spot = map && plot.nearest(map.spots, x, y, reach); if (spot) go({ record: spot.id }); },
      leave: () => look(null),
    });
    const keys = mountKeys(canvas, plot, { spots: () => map?.spots ?? [], marks: () => parts.marks, look: (spot) => lookAt(spot, { tell: true }), open: (spot) => go({ record: spot.id }) });
    const body = h("div", { class: "map-body", "aria-busy": "true" }, h("div", { class: "map-main" }, stage, about), side);
    const chosen = h("select", { class: "map-index", "aria-label": t("map_index"), onchange: (event) => go({ map: event.target.value, spot: "" }, { replace: true }) });
    return { head: head(chosen), body, chosen, keys, canvas, stage, plot, tip, said, about, chooser, legendPlace, hitPlace, marks: [] };
  }

  /** Name the indexes that have maps, or could, with how many hits each holds. */
  function listIndexes() {
    const counts = new Map();
    for (const { index } of hits()) counts.set(index, (counts.get(index) ?? 0) + 1);
    const words = (name) => (counts.get(name) ? t("map_index_hits", { name, n: counts.get(name) }) : name);
    const names = [...new Set([shown, ...indexes().map(({ name }) => name)])].sort();
    parts.chosen.replaceChildren(...names.map((name) => h("option", { value: name, selected: name === shown }, words(name))));
  }

  function head(chosen) {
    return h(
      "header",
      { class: "dialog-head" },
      h("h2", { id: "map-title" }, t("map")),
      chosen,
      h("button", { type: "button", class: "quiet", "aria-label": t("close"), title: t("close"), onclick: () => dialog.close() }, icon("close")),
    );
  }

  function tools(plot) {
    const button = (name, symbol, act) => h("button", { type: "button", class: "quiet", "aria-label": t(name), title: t(name), onclick: act }, icon(symbol));
    return h(
      "div",
      { class: "map-tools" },
      h("button", { type: "button", class: "plain-button to-hits", hidden: true, onclick: () => plot.fit(parts.marks.map(({ spot }) => spot)) }, t("map_to_hits")),
      button("zoom_out", "minus", () => plot.zoomAt(1 / ZOOM_STEP)),
      button("zoom_in", "plus", () => plot.zoomAt(ZOOM_STEP)),
      button("map_fit", "whole", () => plot.fit()),
    );
  }

  function recolour() {
    const groups = groupsOf(map, parts.chooser.value);
    parts.plot.single(new Set());
    parts.plot.show({ groups, spots: map.points });
    parts.legendPlace.replaceChildren(legend(groups, (swatches) => parts.plot.single(swatches)));
  }

  /** Light up the hits of the search that this index holds, and the search itself. */
  async function mark() {
    marked = hits();
    listIndexes();
    const mine = marked.filter(({ index }) => index === map.index);
    const { like } = state();
    const [over, among] = [map, marked];
    let spots;
    try {
      spots = await locate(over, [...mine.map((hit) => hit.record_id), ...(like ? [like] : [])]);
    } catch (error) {
      parts.hitPlace.replaceChildren(failed(error));
      return;
    }
    if (map !== over || marked !== among) return; // another map or search came meanwhile
    const byId = new Map(spots.map((spot) => [spot.id, spot]));
    parts.marks = mine.filter((hit) => byId.has(hit.record_id)).map((hit) => ({ hit, rank: hit.rank, spot: byId.get(hit.record_id) }));
    const own = byId.get(like);
    const first = parts.marks.slice(0, FIRST_HITS).map(({ spot }) => spot);
    parts.plot.show({ marks: parts.marks, query: own ?? (first.length ? middleOf(first) : null) });
    parts.stage.querySelector(".to-hits").hidden = parts.marks.length === 0;
    parts.hitPlace.replaceChildren(...found(parts.marks, own));
    await showSpot();
  }

  function found(marks, own) {
    if (hits().length === 0) return [];
    return [
      h("h3", {}, marks.length ? t("map_hits", { n: marks.length }) : t("map_no_hits")),
      h("p", { class: "hint" }, own ? t("map_cross_record") : marks.length ? t("map_cross") : ""),
      hitList(marks, (spot) => { parts.plot.reveal(spot); lookAt(spot); }),
    ];
  }

  /** Ring the record that the address names. */
  async function showSpot() {
    const id = state().spot;
    if (!id || id === parts.ringed) return;
    parts.ringed = id;
    const over = map;
    const [spot] = await locate(over, [id]).catch(() => []);
    if (!spot || map !== over) return;
    parts.plot.reveal(spot);
    parts.keys.start(spot);
    lookAt(spot, { tell: true });
  }

  /** Ring a spot, show what it is, and tell it to those who hear the page. */
  function lookAt(spot, { tell = false } = {}) {
    parts.plot.point(spot);
    parts.canvas.classList.toggle("over", Boolean(spot));
    if (!spot) {
      parts.tip.hide();
      return;
    }
    const rank = parts.marks.find((one) => one.spot === spot)?.rank;
    const words = statedAt(map, spot) || spot.id;
    const told = rank ? t("map_hit", { n: rank }) : "";
    parts.tip.show(spot, parts.plot.toScreen(spot), { words, rank: told, image: map.field === "image" });
    if (tell) parts.said.textContent = [told, words].filter(Boolean).join(": ");
  }

  const redraw = () => {
    shown = "";
    return render();
  };
  return { render, redraw };
}

/** Return what the map shows and how far it can be trusted, in a sentence or two. */
function aboutMap(map) {
  const counted = map.points < map.records && { n: number(map.points), all: number(map.records) };
  return [
    counted ? t(map.field === "image" ? "map_some_images" : "map_some_questions", counted) : t(map.field === "image" ? "n_images" : "n_questions", { n: map.points }),
    t("map_means"),
    map.trustworthiness !== null && h("span", { title: t("map_trust_long") }, t("map_trust", { share: number(map.trustworthiness, 3) })),
  ].filter(Boolean).flatMap((part, at) => (at ? [" · ", part] : [part]));
}

function colourings(map) {
  const offered = map.categories.map(({ key }) => key);
  const telling = map.categories.find(({ values }) => values.length > 1)?.key;
  const before = recall("map_colour");
  const chosen = offered.includes(before) ? before : telling;
  return offered.map((key) => h("option", { value: key, selected: key === chosen }, t(`field_${key}`)));
}
