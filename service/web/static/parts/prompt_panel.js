import { askJson } from "./api.js";
import { copyButton } from "./copy.js";
import { h } from "./dom.js";
import { filterBody } from "./filters.js";
import { icon } from "./icons.js";
import { number, t } from "./language.js";
import { errorNotice } from "./notices.js";
import { base64Of, pictureOf } from "./pictures.js";
import { go, state } from "./state.js";
import { watched } from "./status.js";

const BUDGET_TOKENS = 2000;

/** A dialog with the retrieval-augmented prompt for the search: its text, its numbered sources. */
export function mountPromptPanel(dialog) {
  dialog.addEventListener("close", () => {
    if (state().prompt) go({ prompt: "" });
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  function render() {
    if (!state().prompt) {
      if (dialog.open) dialog.close();
      return;
    }
    if (dialog.open) return;
    draw();
    dialog.showModal();
    if (state().q) dialog.querySelector("form").requestSubmit();
  }

  function draw() {
    const answer = h("div", { class: "prompt-answer", "aria-live": "polite" });
    const form = h(
      "form",
      { class: "prompt-form" },
      h("label", {}, h("span", {}, t("prompt_question")), h("textarea", { name: "question", rows: "2", required: true, maxlength: "8000" }, state().q)),
      h("label", { class: "budget" }, h("span", {}, t("prompt_budget")), h("input", { name: "budget", type: "number", min: "256", max: "32000", step: "1", value: String(BUDGET_TOKENS), required: true })),
      h("button", { type: "submit", class: "go" }, t("prompt_write")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void write(form, answer);
    });
    const close = h("button", { type: "button", class: "quiet", "aria-label": t("close"), title: t("close"), onclick: () => dialog.close() }, icon("close"));
    dialog.replaceChildren(
      h("header", { class: "dialog-head" }, h("h2", { id: "prompt-title" }, t("prompt_title")), close),
      h("p", { class: "hint" }, t("prompt_long")),
      form,
      answer,
    );
  }

  const redraw = () => {
    if (dialog.open) draw();
  };
  return { render, redraw };
}

async function write(form, answer) {
  const { question, budget } = Object.fromEntries(new FormData(form));
  try {
    const body = { question, budget_tokens: Number(budget), ...(await grounds()) };
    const prompt = await watched(askJson("/v1/prompts", { body }), t("working"));
    answer.replaceChildren(...shown(prompt));
  } catch (error) {
    answer.replaceChildren(errorNotice(error, () => void write(form, answer)));
  }
}

/** What the prompt draws on: the picture and the narrowing of the search that it belongs to. */
async function grounds() {
  const { mode, like, picture, index, filter, less } = state();
  const body = {};
  if (mode === "picture" && like) body.record_id = like;
  const given = mode === "picture" && picture ? pictureOf(picture) : null;
  if (given) body.image_base64 = await base64Of(given.file);
  if (mode === "words" && index.length === 0) body.indexes = await imageIndexes();
  if (index.length) body.indexes = index;
  if (less.length) body.exclude_records = less;
  const filters = filterBody(filter);
  // A filter on images names fields that questions do not have, so both are asked only without one.
  if (filters && mode !== "picture") body.filters = filters;
  return body;
}

async function imageIndexes() {
  const { indexes } = await askJson("/v1/indexes");
  return indexes.filter(({ kind }) => kind === "image").map(({ name }) => name);
}

function shown(prompt) {
  const messages = JSON.stringify(prompt.messages, null, 2);
  return [
    h(
      "p",
      { class: "prompt-tools" },
      h("strong", {}, t("prompt_tokens", { n: prompt.tokens })),
      copyButton(t("copy_text"), () => prompt.text),
      copyButton(t("copy_messages"), () => messages),
    ),
    prompt.notes.map((note) => h("p", { class: "note" }, note.message)),
    prompt.messages.map(({ role, content }) => h("section", { class: "message" }, h("h3", {}, t(`role_${role}`)), h("pre", { tabindex: "0", "aria-label": t(`role_${role}`) }, role === "user" ? cited(content, prompt.citations) : content))),
    h("h3", {}, t("sources")),
    prompt.citations.length === 0 && h("p", { class: "hint" }, t("no_sources")),
    h("ol", { class: "citations" }, prompt.citations.map(citation)),
  ].flat().filter(Boolean);
}

/** Return a message in which [1] leads to the first source. */
function cited(text, citations) {
  const numbers = new Set(citations.map(({ number: one }) => String(one)));
  return text.split(/(\[\d+\])/).map((part) => {
    const one = part.slice(1, -1);
    if (!/^\[\d+\]$/.test(part) || !numbers.has(one)) return part;
    const jump = () => document.querySelector(`#source-${one} button`)?.focus();
    return h("button", { type: "button", class: "cite", "aria-label": t("source", { n: Number(one) }), onclick: jump }, part);
  });
}

function citation(one) {
  const open = () => go({ prompt: "", record: one.record_id });
  return h(
    "li",
    { id: `source-${one.number}`, value: String(one.number) },
    h("button", { type: "button", class: "plain", onclick: open }, one.record_id),
    h("p", { class: "hint" }, [one.licence, one.attribution, one.synthetic && t("synthetic")].filter(Boolean).join(" · ")),
    h("details", {}, h("summary", {}, t("quoted")), h("p", { class: "prose" }, one.text)),
  );
}
