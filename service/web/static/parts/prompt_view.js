/** A prompt as it is shown: its messages to copy, and the numbered sources behind them. */
import { copyButton } from "./copy.js";
import { h } from "./dom.js";
import { t } from "./language.js";
import { noteLine } from "./notices.js";
import { go } from "./state.js";

/** Return the parts of a prompt; `ask`, if there is anybody to ask, stands below its copy buttons. */
export function promptParts(prompt, ask = null) {
  const messages = JSON.stringify(prompt.messages, null, 2);
  return [
    h(
      "p",
      { class: "prompt-tools" },
      h("strong", {}, t("prompt_tokens", { n: prompt.tokens })),
      copyButton(t("copy_text"), () => prompt.text),
      copyButton(t("copy_messages"), () => messages),
    ),
    ask,
    prompt.notes.map(noteLine),
    prompt.messages.map((one) => message(one, prompt.citations)),
    h("h3", {}, t("sources")),
    prompt.citations.length === 0 && h("p", { class: "hint" }, t("no_sources")),
    h("ol", { class: "citations" }, prompt.citations.map(citation)),
  ].flat().filter(Boolean);
}

function message({ role, content }, citations) {
  return h(
    "section",
    { class: "message" },
    h("h3", {}, t(`role_${role}`)),
    h("pre", { tabindex: "0", "aria-label": t(`role_${role}`) }, role === "user" ? cited(content, citations) : content),
  );
}

/** Return a text in which [1] leads to the first source; numbers without a source are marked. */
export function cited(text, citations) {
  const numbers = new Set(citations.map(({ number: one }) => String(one)));
  return text.split(/(\[\d+\])/).map((part) => {
    const one = part.slice(1, -1);
    if (!/^\[\d+\]$/.test(part)) return part;
    if (!numbers.has(one)) return h("span", { class: "no-source", title: t("no_such_source") }, part);
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
