/**
 * Sends searches. This module and what it imports come before the rest of the page, so that the
 * search that an address asks for is under way while everything else is still being loaded.
 */
import { asks, searchKey } from "./address.js";
import { askJson } from "./api.js";
import { searchRequest } from "./request.js";
import { state } from "./state.js";
import { setView } from "./view.js";

setView(); // before anything is painted, where that can be
let first = asks(state()) ? send() : null;

/** Return the search that the state asks for, under way; its reply is null if its picture is gone. */
export function beginSearch() {
  const sent = first;
  first = null;
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
