import { h } from "./dom.js";
import { number, t } from "./language.js";

/** Centre and width in HU of the windows that the service knows. */
const WINDOWS_HU = { lung: [-600, 1500], soft_tissue: [50, 400], bone: [400, 1800], brain: [40, 80] };

/** A row of CT windows, the one that the file states first; `choose(name)` is told, "" for that one. */
export function presets(name, windows, chosen, choose) {
  const choice = (window) => {
    const [centre, width] = WINDOWS_HU[window] ?? [];
    const title = window ? t("preset_hu", { centre: number(centre), width: number(width) }) : t("preset_stated_long");
    return h(
      "label",
      { title },
      h("input", { type: "radio", name, value: window, checked: window === chosen, onchange: () => choose(window) }),
      h("span", {}, t(`preset_${window || "stated"}`)),
    );
  };
  return h("fieldset", { class: "presets" }, h("legend", { class: "unseen" }, t("window")), ["", ...windows].map(choice));
}
