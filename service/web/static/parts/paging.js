import { h } from "./dom.js";
import { t } from "./language.js";
import { errorNotice } from "./notices.js";

/** So many results are shown at most: nobody reads on, and a tab should stay light. */
export const MOST_SHOWN = 2000;
const NEAR = "600px";

/** A button that fetches more results with `load`, pressed by itself when it comes near. */
export function moreButton(load) {
  let busy = false;
  const button = h("button", { type: "button", class: "plain-button", onclick: () => void press() }, t("more"));
  const place = h("div", { class: "more-results" }, button);
  const near = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && void press(), { rootMargin: NEAR });

  async function press() {
    if (busy) return;
    busy = true;
    near.unobserve(button);
    try {
      const end = await load();
      if (end) place.replaceChildren(h("p", { class: "hint" }, end === "full" ? t("most_shown", { n: MOST_SHOWN }) : ""));
      else near.observe(button); // tells anew whether it is still near
    } catch (error) {
      if (error.name !== "AbortError") place.replaceChildren(errorNotice(error, () => place.replaceWith(moreButton(load))));
    } finally {
      busy = false;
    }
  }

  near.observe(button);
  return place;
}
