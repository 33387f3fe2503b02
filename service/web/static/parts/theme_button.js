import { icon } from "./icons.js";
import { t } from "./language.js";
import { remember } from "./memory.js";

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : systemIsDark.matches;
}

/** Make a button switch between dark and light; the system's choice holds until then. */
export function mountTheme(button) {
  const render = () => {
    const label = t(isDark() ? "theme_light" : "theme_dark");
    button.setAttribute("aria-label", label);
    button.title = label;
    button.replaceChildren(icon(isDark() ? "sun" : "moon"));
  };
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    remember("theme", theme);
    render();
  });
  systemIsDark.addEventListener("change", render);
  return { render };
}
