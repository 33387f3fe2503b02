import { MODES } from "./address.js";
import { thumbnailPath } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { language, t } from "./language.js";
import { pictureOf } from "./pictures.js";
import { go, state } from "./state.js";
import { thumbnail } from "./thumbnail.js";
import { acceptFiles, ACCEPTED } from "./upload.js";

const WINDOWS = ["", "lung", "soft_tissue", "bone", "brain"];
const FRESH = { like: "", picture: "", window: "", less: [], record: "", prompt: "", map: "" };

/** The three modes and the one box; `form` submits to a new state, never to the server. */
export function mountSearchBox(form) {
  const modes = form.querySelector("#modes");
  const box = form.querySelector("#box");
  let drawn = "";

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const q = form.elements.namedItem("q")?.value.trim() ?? "";
    const { like, picture, window } = state();
    // Words beside a picture may also be taken away; without one they are all there is.
    if (q || like || picture) go({ ...FRESH, like, picture, window, q });
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
    const { mode, like, picture, window, q } = state();
    const kind = [mode, like, picture, window, language()].join("\n");
    if (kind === drawn) {
      const field = box.querySelector("#q"); // kept, so that nobody loses their place
      if (field) field.value = q;
      return;
    }
    drawn = kind;
    const held = document.activeElement?.closest(".window"); // drawn anew by its own choice
    if (like) box.replaceChildren(likeness(like));
    else if (mode === "picture") box.replaceChildren(picture ? given(picture) : dropZone());
    else box.replaceChildren(...textBox(mode));
    if (held) box.querySelector(".window")?.focus();
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

function given(id) {
  const picture = pictureOf(id);
  const about = picture
    ? t("picture_given", { format: picture.format || t("unknown_format"), size: sizeWords(picture.bytes) })
    : t("picture_gone");
  const frame = h("span", { class: "understood" }, icon("image"));
  const words = h("span", {}, about);
  void showPreview(frame, words, picture);
  return asked(frame, [words, picture?.format === "DICOM" && windowChooser()].filter(Boolean), picture && besides());
}

async function showPreview(frame, words, picture) {
  const seen = await picture?.preview(state().window);
  if (!seen) return;
  frame.replaceChildren(h("img", { src: seen.address, alt: t("picture_alt") }));
  if (seen.width) words.append(` · ${t("picture_size", { width: seen.width, height: seen.height })}`);
}

/** The windows in which CT may be looked at and compared; left alone, the service chooses. */
function windowChooser() {
  const options = WINDOWS.map((name) => h("option", { value: name, selected: name === state().window }, t(`window_${name || "chosen"}`)));
  const choose = (event) => go({ window: event.target.value });
  return h("select", { class: "window", "aria-label": t("window"), onchange: choose }, options);
}

function likeness(recordId) {
  const frame = h("span", { class: "understood" });
  const isImage = state().mode === "picture";
  frame.append(isImage ? thumbnail(thumbnailPath(recordId), "", { eager: true }) : icon("similar"));
  const words = [t(isImage ? "like_image" : "like_question"), h("small", {}, recordId)];
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
    h("div", { class: "asked-words" }, h("p", {}, about), more),
    h("button", { type: "button", class: "quiet", "aria-label": t("clear"), title: t("clear"), onclick: () => go({ ...FRESH, q: "" }) }, icon("close")),
  );
}

function sizeWords(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
