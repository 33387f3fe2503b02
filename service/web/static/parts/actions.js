import { EMPTY, asks } from "./address.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./language.js";
import { go, state } from "./state.js";

export function searchLike(record) {
  go({ ...EMPTY, mode: record.kind === "image" ? "picture" : "questions", like: record.record_id });
  scrollTo({ top: 0 });
}

function searchLessLike(record) {
  go({ less: [...state().less, record.record_id], record: "", map: "", spot: "" });
}

/** The two buttons that every result has; `title` tells a screen reader whose they are. */
export function actionsFor(record, title) {
  const button = (name, symbol, act) =>
    h(
      "button",
      { type: "button", class: "action", "aria-label": `${t(name)}: ${title}`, onclick: () => act(record) },
      icon(symbol),
      h("span", { "aria-hidden": "true" }, t(name)),
    );
  return h(
    "p",
    { class: "actions" },
    button("similar", "similar", searchLike),
    asks(state()) && state().like !== record.record_id && button("less_like", "less", searchLessLike),
  );
}
