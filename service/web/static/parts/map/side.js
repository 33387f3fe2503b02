/** Beside the map: what the colours stand for, and the hits as a list for those who do not point. */
import { h } from "../dom.js";
import { number, t } from "../language.js";
import { go } from "../state.js";
import { titleOf } from "../words_of.js";

const LISTED = 50;

/** A button for each colour; those that are pressed stand out. `changed(swatches)` is told which. */
export function legend(groups, changed) {
  const alone = new Set();
  const buttons = groups.map(({ swatch, words, spots }) =>
    h(
      "button",
      {
        type: "button", class: "colour", "aria-pressed": "false",
        onclick: (event) => {
          if (!alone.delete(swatch)) alone.add(swatch);
          event.currentTarget.setAttribute("aria-pressed", String(alone.has(swatch)));
          changed(alone);
        },
      },
      h("i", { class: `swatch ${swatch}`, "aria-hidden": "true" }),
      h("span", { class: "value" }, words),
      h("span", { class: "count" }, number(spots.length)),
    ),
  );
  return h("ul", { class: "legend", "aria-label": t("map_colours") }, buttons.map((button) => h("li", {}, button)));
}

/** The hits that lie on the map; `seen(spot)` is told which of them is looked at. */
export function hitList(marks, seen) {
  const rows = marks.slice(0, LISTED).map(({ hit, rank, spot }) => {
    const title = titleOf(hit);
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button", class: "map-hit", "aria-label": t("map_open_hit", { rank, title }), title,
          onclick: () => go({ record: hit.record_id }),
          onpointerenter: () => seen(spot), onfocus: () => seen(spot),
        },
        h("span", { class: "map-rank" }, String(rank)),
        h("span", { class: "map-title" }, title),
      ),
    );
  });
  return h("ol", { class: "map-hits" }, rows);
}
