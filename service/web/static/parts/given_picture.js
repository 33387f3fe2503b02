/** What was given to search with, as it was understood: slices to leaf through, windows to choose. */
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { number, t } from "./language.js";
import { presets } from "./presets.js";
import { go, state } from "./state.js";
import { watched } from "./status.js";

/** Return the picture's frame and its words; both fill themselves once the service has read it. */
export function givenPicture(picture) {
  const frame = h("div", { class: "understood" }, icon("image"));
  const title = h("p", { class: "given-title" }, titleOf(picture));
  const about = h("p", { class: "hint" }, aboutOf(picture));
  const windows = h("div", { class: "presets-place" });
  const leaves = leafThrough(frame);

  async function render() {
    const { window } = state();
    const stated = await watched(picture.preview(""), t("reading"));
    const seen = window ? await watched(picture.preview(window), t("reading")) : stated;
    if (!stated || !seen || window !== state().window) return;
    const [{ width, height }] = seen.slices;
    title.textContent = titleOf(picture, seen);
    const compared = !window && !picture.isSeries && stated.windows[0];
    about.textContent = [
      aboutOf(picture),
      width && t("picture_size", { width, height }),
      compared && t("compared_in", { name: t(`window_${compared}`) }),
    ].filter(Boolean).join(" · ");
    if (stated.windows.length && !windows.firstChild) {
      windows.append(presets("window", stated.windows, window, (name) => go({ window: name })));
    }
    leaves.show(seen.slices);
  }

  void render();
  const words = [title, about, windows, leaves.slider];
  return { frame, words, render };
}

function titleOf(picture, seen) {
  if (!picture.isSeries) return t("picture_given");
  const images = seen?.images ?? picture.images;
  const compared = seen?.slices.length ?? images;
  if (picture.format === "ZIP" && !seen) return t("series_given");
  return [t("series_of_images", { n: images }), compared < images && t("series_compared", { n: compared })].filter(Boolean).join(", ");
}

function aboutOf({ format, bytes, leftOut }) {
  const parts = [format || t("unknown_format"), sizeWords(bytes), leftOut > 0 && t("left_out", { n: leftOut })];
  return parts.filter(Boolean).join(" · ");
}

/** Show slices in a frame: the wheel over it and a slider leaf through them. */
function leafThrough(frame) {
  const image = h("img", { alt: t("picture_alt") });
  const range = h("input", { type: "range", min: "1", step: "1", "aria-label": t("slices"), oninput: () => step(0) });
  const place = h("output", { class: "slice-place" });
  const slider = h("p", { class: "slices", hidden: true }, range, place);
  let slices = [];

  function step(by) {
    const at = Math.min(Math.max(Number(range.value) - 1 + by, 0), slices.length - 1);
    range.value = String(at + 1);
    place.textContent = t("slice_of", { n: at + 1, all: slices.length });
    range.setAttribute("aria-valuetext", place.textContent);
    image.src = slices[at].address;
  }

  function show(found) {
    const before = slices.length;
    slices = found;
    range.max = String(slices.length);
    if (before !== slices.length) range.value = String(Math.floor(slices.length / 2) + 1);
    slider.hidden = slices.length < 2;
    step(0);
    frame.replaceChildren(image);
  }

  frame.addEventListener("wheel", (event) => {
    if (event.ctrlKey || slices.length < 2) return;
    event.preventDefault();
    step(Math.sign(event.deltaY));
  }, { passive: false });
  return { slider, show };
}

function sizeWords(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${number(bytes / 1e6, 1)} MB`;
}
