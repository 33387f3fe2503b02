import { ServiceError, setKey } from "./api.js";
import { copyButton } from "./copy.js";
import { h, rich } from "./dom.js";
import { named, t } from "./language.js";

const COMMAND = /`((?:make|medsearch) [^`]+)`/g;

/** One thing that the reader should know: a heading, words, and what to do about it. */
export function notice(kind, title, ...content) {
  return h(
    "div",
    { class: `notice ${kind}`, role: kind === "error" ? "alert" : null },
    h("p", { class: "notice-title" }, title),
    content.flat().filter(Boolean),
  );
}

/** What the service notes is English; where it is known in the reader's language, that comes first. */
export function noteLine({ code, message }) {
  const words = named("notes", code);
  return h("p", { class: "note" }, words !== code && `${words} `, h("span", { lang: "en" }, message));
}

/** Return what to show for an error, with commands to copy; `retry` is tried when the key is given. */
export function errorNotice(error, retry) {
  if (error.code === "away") return notice("error", t("away"), h("p", {}, t("away_long")), again(retry));
  if (error.status === 401 || error.status === 403) return keyNotice(error, retry);
  const lang = error instanceof ServiceError ? "en" : null; // the service's own words
  const words = [error.message, error.remedy].filter(Boolean).map((text) => h("p", { lang }, rich(text)));
  if (kindOf(error) === "waiting") words.splice(1, 1, h("p", {}, t("page_waits"))); // nobody need do what it advises
  const details = error.details.map(({ where, problem }) => h("li", { lang }, `${where}: ${problem}`));
  return notice(
    kindOf(error),
    t(titleOf(error)),
    words,
    details.length && h("ul", {}, details),
    commandsIn(error).map(command),
  );
}

function kindOf(error) {
  if (error.code === "map_not_found") return "calm";
  return error.code === "not_ready" && !commandsIn(error).length ? "waiting" : "error";
}

function titleOf(error) {
  if (error.status === 413) return "too_large";
  if (error.status === 415) return "undecodable";
  if (error.status === 503) return commandsIn(error).length ? "index_missing" : "loading";
  if (error.code === "map_not_found") return "map_missing";
  if (error.status === 404) return "not_found";
  return error.status === 422 ? "refused" : "failed";
}

function commandsIn(error) {
  return [...`${error.message} ${error.remedy}`.matchAll(COMMAND)].map((found) => found[1]);
}

function command(text) {
  return h("p", { class: "command" }, h("code", {}, text), copyButton(t("copy"), () => text));
}

function again(retry) {
  return h("p", {}, h("button", { type: "button", class: "plain-button", onclick: retry }, t("try_again")));
}

function keyNotice(error, retry) {
  const field = h("input", { type: "password", id: "key", autocomplete: "off", required: true });
  const form = h(
    "form",
    { class: "key-form" },
    h("label", { for: "key" }, t("key")),
    field,
    h("button", { type: "submit", class: "plain-button" }, t("key_use")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setKey(field.value);
    retry();
  });
  return notice("error", t(error.status === 401 ? "key_needed" : "key_wrong"), h("p", {}, t("key_long")), form);
}
