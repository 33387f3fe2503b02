import { asks } from "./address.js";
import { state } from "./state.js";

/** Say on the page's root whether results are asked for, or the page is to stand as one first finds it. */
export function setView() {
  document.documentElement.dataset.view = asks(state()) ? "results" : "home";
}
