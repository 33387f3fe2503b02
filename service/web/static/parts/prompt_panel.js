import { streamAnswer } from "./answer_view.js";
import { askJson } from "./api.js";
import { h } from "./dom.js";
import { filterBody } from "./filters.js";
import { icon } from "./icons.js";
import { t } from "./language.js";
import { errorNotice } from "./notices.js";
import { base64Of, pictureOf } from "./pictures.js";
import { promptParts } from "./prompt_view.js";
import { go, state } from "./state.js";
import { watched } from "./status.js";
import { passes, whenReady } from "./waiting.js";

const BUDGET_TOKENS = 2000;

/** A dialog with the retrieval-augmented prompt for the search, and an answer if a model is there. */
export function mountPromptPanel(dialog) {
  let model = null;
  let running = new AbortController();

  dialog.addEventListener("close", () => {
    running.abort();
    if (state().prompt) go({ prompt: "" });
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  async function render() {
    if (!state().prompt) {
      if (dialog.open) dialog.close();
      return;
    }
    if (dialog.open) return;
    draw();
    dialog.showModal();
    ({ model } = await askJson("/v1/answers").catch(() => ({ model: null })));
    if (!dialog.open) return;
    dialog.querySelector(".sending").textContent = sendingWords();
    if (state().q) dialog.querySelector("form").requestSubmit();
  }

  const sendingWords = () => t(model ? "prompt_sent_if" : "prompt_sent_nowhere");

  function draw() {
    running.abort();
    const answer = h("div", { class: "prompt-answer" });
    const written = h("div", { class: "prompt-answer" });
    const form = h(
      "form",
      { class: "prompt-form" },
      h("label", {}, h("span", {}, t("prompt_question")), h("textarea", { name: "question", rows: "2", required: true, maxlength: "8000" }, state().q)),
      h("label", { class: "budget" }, h("span", {}, t("prompt_budget")), h("input", { name: "budget", type: "number", min: "256", max: "32000", step: "1", value: String(BUDGET_TOKENS), required: true })),
      h("button", { type: "submit", class: "go" }, t("prompt_write")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void write(form, written, answer);
    });
    const close = h("button", { type: "button", class: "quiet", "aria-label": t("close"), title: t("close"), onclick: () => dialog.close() }, icon("close"));
    const series = pictureOf(state().picture)?.isSeries;
    dialog.replaceChildren(
      h("header", { class: "dialog-head" }, h("h2", { id: "prompt-title" }, t("prompt_title")), close),
      h("p", { class: "hint" }, t("prompt_long"), " ", h("span", { class: "sending" }, sendingWords()), series && ` ${t("prompt_middle")}`),
      form,
      answer,
      written,
    );
  }

  /** Write the prompt; where a model answers, offer to ask it. */
  async function write(form, written, answer) {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    answer.replaceChildren();
    try {
      const body = await bodyOf(form);
      const prompt = await watched(askJson("/v1/prompts", { body, signal }), t("working"));
      written.replaceChildren(...promptParts(prompt, model && askButton(body, written, answer)));
    } catch (error) {
      if (error.name === "AbortError") return;
      const again = () => void write(form, written, answer);
      written.replaceChildren(errorNotice(error, again));
      if (passes(error)) whenReady("prompt", () => signal.aborted || again());
    }
  }

  function askButton(body, written, answer) {
    const ask = () => {
      running.abort();
      running = new AbortController();
      const { signal } = running;
      const onPrompt = (prompt) => written.replaceChildren(...promptParts(prompt, askButton(body, written, answer)));
      void streamAnswer(answer, model, body, { signal, stop: () => running.abort(), onPrompt });
    };
    return h(
      "p",
      { class: "asking" },
      h("button", { type: "button", class: "go small", id: "ask-model", onclick: ask }, t("ask_model", { model })),
      h("span", { class: "hint" }, t("prompt_sent_on_demand")),
    );
  }

  /** Draw it in another language, with what was written. */
  const redraw = () => {
    if (!dialog.open) return;
    const { question, budget } = Object.fromEntries(new FormData(dialog.querySelector("form")));
    const hadPrompt = Boolean(dialog.querySelector(".message"));
    draw();
    const form = dialog.querySelector("form");
    form.elements.question.value = question;
    form.elements.budget.value = budget;
    if (hadPrompt) form.requestSubmit();
  };
  return { render, redraw };
}

/** What the prompt draws on: the words, the picture and the narrowing of the search. */
async function bodyOf(form) {
  const { question, budget } = Object.fromEntries(new FormData(form));
  const { mode, like, picture, window, index, filter, less } = state();
  const body = { question, budget_tokens: Number(budget) };
  if (mode === "picture" && like) body.record_id = like;
  const given = mode === "picture" && picture ? pictureOf(picture) : null;
  if (given) body.image_base64 = await base64Of(given, window);
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
