import { MODES } from "./address.js";
import { thumbnailPath } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { language, t } from "./language.js";
import { givenPicture } from "./given_picture.js";
import { pictureOf } from "./pictures.js";
import { go, state } from "./state.js";
import { thumbnail } from "./thumbnail.js";
import { acceptFiles, ACCEPTED } from "./upload.js";

const FRESH = { like: "", picture: "", window: "", match: "", less: [], record: "", prompt: "", map: "", spot: "" };

/** The three modes and the one box; `form` submits to a new state, never to the server. */
export function mountSearchBox(form) {
  const modes = form.querySelector("#modes");
  const box = form.querySelector("#box");
  let drawn = "";
  let view = null; // of the picture that is searched with

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const q = form.elements.namedItem("q")?.value.trim() ?? "";
    const { like, picture, window, match } = state();
    // Words beside a picture may also be taken away; without one they are all there is.
    if (q || like || picture) go({ ...FRESH, like, picture, window, match, q });
  });

  function chooseMode(mode) {
    const keeps = state().q && mode !== "picture" ? { q: state().q } : { q: "" };
    go({ ...FRESH, ...keeps, mode, filter: [], index: [], group: "" });
    form.querySelector("#q, .pick")?.focus();
  }

  function renderModes() {
    const legend = modes.querySelector("legend");
    const held = document.activeElement?.name === "mode";
    modes.replaceChildren(
      legend,
      ...MODES.map((mode) =>
        h(
          "label",
          {},
          h("input", { type: "radio", name: "mode", value: mode, checked: mode === state().mode, onchange: () => chooseMode(mode) }),
          h("span", {}, t(`mode_${mode}`)),
        ),
      ),
    );
    if (held) modes.querySelector("input:checked")?.focus();
  }

  function render() {
    renderModes();
    const { mode, like, picture, q } = state();
    const kind = [mode, like, picture, language()].join("\n");
    if (kind === drawn) {
      const field = box.querySelector("#q"); // kept, so that nobody loses their place
      if (field) field.value = q;
      void view?.render();
      return;
    }
    drawn = kind;
    view = null;
    const kept = mode === "picture" && !like ? pictureOf(picture) : null;
    if (like) box.replaceChildren(likeness(like));
    else if (kept) {
      view = givenPicture(kept);
      // Words are fused with a single picture only.
      box.replaceChildren(asked(view.frame, view.words, !kept.isSeries && besides()));
    } else if (mode === "picture") box.replaceChildren(picture ? gone() : dropZone());
    else box.replaceChildren(...textBox(mode));
  }

  return { render };
}

function textBox(mode) {
  const hint = t(`hint_${mode}`);
  return [
    h("label", { for: "q", class: "unseen" }, t(`mode_${mode}`)),
    h("input", {
      id: "q", name: "q", type: "search", value: state().q, placeholder: hint, maxlength: "8000",
      enterkeyhint: "search", spellcheck: "false",
    }),
    h("button", { type: "submit", class: "go" }, icon("search"), h("span", {}, t("search"))),
  ];
}

function dropZone() {
  const input = h("input", {
    type: "file", accept: ACCEPTED, multiple: true, class: "pick", id: "pick",
    onchange: (event) => acceptFiles(event.target.files),
  });
  return h(
    "label",
    { class: "zone", for: "pick" },
    icon("image"),
    h("span", { class: "zone-title" }, t("drop_title")),
    h("span", { class: "zone-hint" }, t("drop_hint")),
    input,
  );
}

function gone() {
  return asked(h("div", { class: "understood small" }, icon("image")), h("p", {}, t("picture_gone")));
}

function likeness(recordId) {
  const isImage = state().mode === "picture";
  const frame = h("div", { class: isImage ? "understood" : "understood small" });
  frame.append(isImage ? thumbnail(thumbnailPath(recordId), "", { eager: true }) : icon("similar"));
  const words = [h("p", { class: "given-title" }, t(isImage ? "like_image" : "like_question")), h("small", {}, recordId)];
  return asked(frame, words, isImage && besides());
}

/** Words that the images are to fit as well. */
function besides() {
  return h("input", {
    id: "q", name: "q", type: "search", value: state().q, placeholder: t("hint_besides"), "aria-label": t("hint_besides"),
    maxlength: "8000", enterkeyhint: "search", class: "besides",
  });
}

function asked(frame, about, more = null) {
  return h(
    "div",
    { class: "asked" },
    frame,
    h("div", { class: "asked-words" }, about, more),
    h("button", { type: "button", class: "quiet", "aria-label": t("clear"), title: t("clear"), onclick: () => go({ ...FRESH, q: "" }) }, icon("close")),
  );
}
