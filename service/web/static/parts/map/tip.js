/** What lies under the pointer: its picture, its title, what is stated of it. */
import { askJson, recordPath, thumbnailPath } from "../api.js";
import { h } from "../dom.js";
import { thumbnail } from "../thumbnail.js";
import { titleOf } from "../words_of.js";

/** A pointer that merely passes asks for nothing. */
const REST_MS = 90;
const GAP_PX = 16;
const KEPT = 300;

const records = new Map();

/** Return a record as the service tells it, from memory where it was told before. */
async function recordOf(id) {
  if (!records.has(id)) {
    if (records.size >= KEPT) records.clear();
    records.set(id, askJson(recordPath(id)).catch(() => null));
  }
  return records.get(id);
}

export function mountTip(stage) {
  const tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
  let shown = null;
  let timer = 0;
  stage.append(tip);

  /** Show a spot's record beside a place of the stage; `words` are known at once. */
  function show(spot, at, { words, rank, image }) {
    if (spot === shown) return;
    hide();
    shown = spot;
    timer = setTimeout(() => void fill(spot, at, { words, rank, image }), REST_MS);
  }

  async function fill(spot, at, { words, rank, image }) {
    const title = h("strong", {}, words);
    tip.replaceChildren(
      ...[image && thumbnail(thumbnailPath(spot.id), "", { eager: true }), h("div", {}, rank && h("span", { class: "tip-rank" }, rank), title, h("small", {}))].filter(Boolean),
    );
    tip.hidden = false;
    put(at);
    const record = await recordOf(spot.id);
    if (!record || shown !== spot) return;
    title.textContent = titleOf(record);
    const more = title.textContent === words ? "" : words;
    tip.querySelector("small").textContent = more;
    put(at);
  }

  /** Beside the point, and inside the stage. */
  function put({ x, y }) {
    const { clientWidth: width, clientHeight: height } = stage;
    const left = x + GAP_PX + tip.offsetWidth > width ? x - GAP_PX - tip.offsetWidth : x + GAP_PX;
    const top = Math.min(Math.max(y - tip.offsetHeight / 2, 4), height - tip.offsetHeight - 4);
    tip.style.transform = `translate(${Math.round(Math.max(left, 4))}px, ${Math.round(Math.max(top, 4))}px)`;
  }

  function hide() {
    clearTimeout(timer);
    shown = null;
    tip.hidden = true;
  }

  return { show, hide };
}
