import { readiness } from "./api.js";

const EVERY_MS = 1000;
const waiting = new Map();
let timer = 0;

/** Call `ready` once the service answers searches; a later call of the same `part` takes its place. */
export function whenReady(part, ready) {
  waiting.set(part, ready);
  clearTimeout(timer);
  timer = setTimeout(look, EVERY_MS);
}

async function look() {
  if ((await readiness()) !== "ready") {
    timer = setTimeout(look, EVERY_MS);
    return;
  }
  const calls = [...waiting.values()];
  waiting.clear();
  for (const call of calls) call();
}

/** Whether what failed will be answered later by itself: the service is away, or not ready yet. */
export function passes(error) {
  return error.code === "away" || error.status === 503;
}
