import { recall } from "./memory.js";

/** Wear the colours that were chosen before, so that nobody is dazzled; else the system's hold. */
export function wearTheme() {
  const chosen = recall("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
