/** The answer of the configured language model: as it comes, then with its citations checked. */
import { ServiceError, askEvents } from "./api.js";
import { copyButton } from "./copy.js";
import { h } from "./dom.js";
import { t } from "./language.js";
import { errorNotice } from "./notices.js";
import { cited } from "./prompt_view.js";
import { say } from "./status.js";

/**
 * Stream the answer to `body` into `place`; `onPrompt` is given the prompt that it answers.
 * Aborting `signal` stops the model; what it said by then stays, unchecked.
 */
export async function streamAnswer(place, model, body, { signal, stop, onPrompt }) {
  const text = h("div", { class: "answer-text prose" });
  const thoughts = h("p", { class: "prose" });
  const thinking = h("details", { class: "thoughts", hidden: true }, h("summary", {}, t("thinking")), thoughts);
  const state = h("p", { class: "answer-state", role: "status" }, t("answering", { model }));
  const halt = h("button", { type: "button", class: "plain-button", id: "stop-answer", onclick: stop }, t("stop"));
  const head = h("div", { class: "prompt-tools" }, h("h3", {}, t("answer_of", { model })), halt);
  const section = h("section", { class: "answered", "aria-busy": "true" }, head, state, thinking, text);
  place.replaceChildren(section);

  /** Show how it ended: `words` say so, `parts` follow what was said. */
  function end(words, ...parts) {
    section.removeAttribute("aria-busy");
    state.textContent = words;
    halt.remove();
    section.append(...parts.filter(Boolean));
  }

  let said = "";
  let citations = [];
  try {
    for await (const { event, data } of askEvents("/v1/answers", { body: { ...body, stream: true }, signal })) {
      if (event === "prompt") {
        citations = data.citations;
        onPrompt(data);
      } else if (event === "delta") {
        said += data.text;
        const [thought, rest] = splitThoughts(said);
        thinking.hidden = !thought;
        thoughts.textContent = thought;
        text.textContent = rest;
      } else if (event === "error") {
        throw new ServiceError(502, data.code, data.message, data.remedy, data.details);
      } else if (event === "done") {
        text.replaceChildren(...checkedText(data, citations));
        head.append(copyButton(t("copy_answer"), () => data.answer));
        end(data.finish_reason === "length" ? t("answer_cut") : t("answer_done"), checks(data.verification));
        return;
      }
    }
    throw new ServiceError(502, "cut", t("answer_broke"), "");
  } catch (error) {
    if (error.name === "AbortError") {
      end(t("answer_stopped"));
      say(t("answer_stopped"));
      return;
    }
    const again = () => streamAnswer(place, model, body, { signal, stop, onPrompt });
    end(said ? t("answer_unchecked") : "", errorNotice(error, again));
  }
}

/** Split what a model says into its thoughts and the rest, as the service does in the end. */
function splitThoughts(said) {
  const [before, after] = said.split("</think>");
  if (after !== undefined) return [before.replace("<think>", "").trim(), after.trimStart()];
  return said.trimStart().startsWith("<think>") ? [said.replace("<think>", "").trim(), ""] : ["", said];
}

/** Return the answer with its numbers as links, and what was found of each sentence marked. */
function checkedText({ answer, verification }, citations) {
  const unsupported = new Set(verification.unsupported);
  const parts = [];
  let at = 0;
  verification.sentences.forEach(({ text }, place) => {
    const begin = answer.indexOf(text, at);
    if (begin < 0) return;
    parts.push(...cited(answer.slice(at, begin), citations));
    const kind = unsupported.has(place) ? { class: "unsupported", title: t("unsupported_long") } : {};
    parts.push(h("span", kind, cited(text, citations)));
    at = begin + text.length;
  });
  return [...parts, ...cited(answer.slice(at), citations)];
}

function checks({ cited: held, unknown, uncited, unsupported }) {
  const numbers = (list) => list.map((one) => `[${one}]`).join(" ");
  const line = (kind, words) => h("li", { class: kind }, words);
  return h(
    "div",
    { class: "checks" },
    h("h3", {}, t("checks")),
    h("ul", {}, [
      held.length > 0 && line("held", t("check_cited", { numbers: numbers(held) })),
      unknown.length > 0 && line("bad", t("check_unknown", { numbers: numbers(unknown) })),
      unsupported.length > 0 && line("doubtful", t("check_unsupported", { n: unsupported.length })),
      uncited.length > 0 && line("doubtful", t("check_uncited", { n: uncited.length })),
    ]),
    h("p", { class: "hint" }, t("checks_long")),
  );
}
