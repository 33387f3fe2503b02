import { readAddress, searchKey, writeAddress } from "./address.js";

const listeners = [];
let current = readAddress(location.hash);

export function state() {
  return current;
}

/** Call `listener(now, before)` after every change, the back button's included. */
export function onState(listener) {
  listeners.push(listener);
}

/** Change some of the state as a new step of the browser's history, or in place of this one. */
export function go(change, { replace = false } = {}) {
  const next = { ...current, ...change };
  const address = location.pathname + writeAddress(next);
  if (writeAddress(next) === writeAddress(current)) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  if (!replace && searchKey(next) !== searchKey(current)) scrollTo({ top: 0 });
  become(next);
}

function become(next) {
  const before = current;
  current = next;
  for (const listener of listeners) listener(current, before);
}

addEventListener("popstate", () => become(readAddress(location.hash)));
