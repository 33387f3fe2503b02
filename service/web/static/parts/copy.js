import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./language.js";
import { say } from "./status.js";

const TOLD_MS = 1600;

/** Return a button that copies what `content()` returns, and says so. */
export function copyButton(label, content) {
  const words = h("span", {}, label);
  const button = h("button", { type: "button", class: "copy" }, icon("copy"), words);
  button.addEventListener("click", async () => {
    const done = await copy(content());
    words.textContent = t(done ? "copied" : "copy_failed");
    say(words.textContent);
    setTimeout(() => {
      words.textContent = label;
    }, TOLD_MS);
  });
  return button;
}

/** Browsers offer the clipboard only to secure pages; over plain http the older way must do. */
async function copy(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed: try the older way.
    }
  }
  const host = document.querySelector("dialog[open]") ?? document.body;
  const area = h("textarea", { class: "unseen", readonly: true });
  area.value = text;
  host.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
