// Runs before the first paint, so that nobody is dazzled: a classic script, not a module.
{
  let chosen = null;
  try {
    chosen = localStorage.getItem("medsearch.theme");
  } catch {
    // Storage may be forbidden; the system's preference rules then.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
