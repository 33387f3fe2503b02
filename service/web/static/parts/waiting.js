import { readiness } from "./api.js";

const EVERY_MS = 1000;
let timer = 0;

/** Call `ready` once the service answers searches; a new call takes the place of an earlier one. */
export function whenReady(ready) {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if ((await readiness()) === "ready") ready();
    else whenReady(ready);
  }, EVERY_MS);
}
