/** Sends searches: one at a time, and the first of them ahead of the page. */
import { asks, searchKey } from "./address.js";
import { askJson } from "./api.js";
import { searchRequest } from "./request.js";
import { state } from "./state.js";

let ahead = null;

/** Send what the address asks for before there is a page to show it; `beginSearch` takes it up. */
export function sendAhead() {
  if (asks(state())) ahead = send();
}

/** Return the search that the state asks for, under way; its reply is null if its picture is gone. */
export function beginSearch() {
  const sent = ahead;
  ahead = null;
  if (sent?.key === searchKey(state())) return sent;
  sent?.stop.abort();
  return send();
}

function send() {
  const stop = new AbortController();
  const request = searchRequest(state());
  const reply = request && askJson(request.path, { body: request.body, signal: stop.signal });
  reply?.catch(() => {}); // whoever waits for it is told
  return { key: searchKey(state()), stop, reply };
}
