import { thumbnailPath } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./language.js";
import { presets } from "./presets.js";
import { showThumbnail, thumbnail } from "./thumbnail.js";

const ZOOM_STEP = 1.25;
const MOST_ZOOM = 8;

/**
 * A picture to look at closely: the wheel leafs through the slices of a series, with Ctrl it zooms;
 * a drag moves what was zoomed. `onSlice(recordId)` is told which slice is shown.
 */
export function sliceViewer(recordId, alt, onSlice) {
  const image = thumbnail(thumbnailPath(recordId), alt, { eager: true });
  const stage = h("div", { class: "stage", tabindex: "0", role: "img", "aria-label": alt }, image);
  const slider = h("input", { type: "range", min: "1", step: "1", id: "slice", "aria-label": t("slices") });
  const place = h("output", { for: "slice", class: "slice-place" });
  const chooser = h("select", { "aria-label": t("series"), hidden: true, onchange: () => openSeries(Number(chooser.value), null) });
  const strip = h("p", { class: "slices", hidden: true }, chooser, slider, place);
  const windows = h("div", { class: "presets-place" });
  let series = [[{ id: recordId, windows: [] }]];
  let [number, window] = [0, ""];
  let slices = series[0];
  const view = zoomable(stage, image, () => slices.length > 1);

  function show(at, { tell = true } = {}) {
    const position = Math.min(Math.max(at, 0), slices.length - 1);
    slider.value = String(position + 1);
    place.textContent = t("slice_of", { n: position + 1, all: slices.length });
    slider.setAttribute("aria-valuetext", place.textContent);
    if (!tell) return;
    const { id } = slices[position];
    showThumbnail(image, window ? `${thumbnailPath(id)}?window=${window}` : thumbnailPath(id));
    onSlice(id);
  }

  const step = (by) => show(Number(slider.value) - 1 + by);
  slider.addEventListener("input", () => step(0));
  stage.addEventListener("wheel", (event) => {
    if (event.ctrlKey || slices.length < 2) return;
    event.preventDefault();
    step(Math.sign(event.deltaY));
  }, { passive: false });
  stage.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || slices.length < 2) return;
    event.preventDefault();
    step(by);
  });

  /** Leaf through a series from slice `id` on, or from its beginning. */
  function openSeries(chosen, id, { tell = true } = {}) {
    number = chosen;
    const fitting = [...new Set(series[number].flatMap((slice) => slice.windows))];
    if (!fitting.includes(window)) window = "";
    windows.replaceChildren(...(fitting.length ? [presets("view", fitting, window, chooseWindow)] : []));
    chooser.value = String(number);
    leaf(id, tell);
  }

  /** In a window there are the slices that were looked at in it: some of a long series. */
  function leaf(id, tell) {
    const at = Math.max(0, series[number].findIndex((slice) => slice.id === id));
    slices = window ? series[number].filter((slice) => slice.windows.includes(window)) : series[number];
    slider.max = String(slices.length);
    slider.hidden = slices.length < 2;
    const near = slices.findIndex((slice) => series[number].indexOf(slice) >= at);
    show(near < 0 ? slices.length - 1 : near, { tell });
  }

  function chooseWindow(name) {
    const { id } = slices[Number(slider.value) - 1];
    window = name;
    leaf(id, true);
  }

  /** Say which slices there are to leaf through: one list of {id, windows} for each series. */
  function setSeries(lists) {
    series = lists;
    const own = Math.max(0, lists.findIndex((list) => list.some(({ id }) => id === recordId)));
    chooser.hidden = lists.length < 2;
    chooser.replaceChildren(...lists.map((_, at) => h("option", { value: String(at) }, t("series_of", { n: at + 1, all: lists.length }))));
    strip.hidden = lists.flat().length < 2;
    openSeries(own, recordId, { tell: false });
  }

  const size = h("span", { class: "size" });
  image.addEventListener("load", () => {
    size.textContent = t("preview_px", { width: image.naturalWidth, height: image.naturalHeight });
  });
  const element = h("figure", { class: "viewer" }, stage, windows, h("div", { class: "viewer-tools" }, strip, size, view.tools));
  return { element, setSeries };
}

/** Let an image be zoomed and moved inside its stage. */
function zoomable(stage, image, wheelIsTaken) {
  let scale = 1;
  let [x, y] = [0, 0];
  const apply = () => {
    image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    stage.classList.toggle("zoomed", scale > 1);
  };
  const zoom = (factor) => {
    scale = Math.min(Math.max(scale * factor, 1), MOST_ZOOM);
    if (scale === 1) [x, y] = [0, 0];
    apply();
  };
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && wheelIsTaken()) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP);
  }, { passive: false });
  stage.addEventListener("dblclick", () => zoom(scale > 1 ? 0 : 2));
  stage.addEventListener("keydown", (event) => {
    const factor = { "+": ZOOM_STEP, "=": ZOOM_STEP, "-": 1 / ZOOM_STEP, 0: 0 }[event.key];
    if (factor !== undefined) zoom(factor);
  });
  stage.addEventListener("pointerdown", (event) => {
    if (scale === 1) return;
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!stage.hasPointerCapture(event.pointerId)) return;
    x += event.movementX;
    y += event.movementY;
    apply();
  });
  const button = (name, symbol, factor) =>
    h("button", { type: "button", class: "quiet", "aria-label": t(name), title: t(name), onclick: () => zoom(factor) }, icon(symbol));
  return { tools: h("span", { class: "zooming" }, button("zoom_out", "minus", 1 / ZOOM_STEP), button("zoom_in", "plus", ZOOM_STEP)) };
}
