/** Keys beyond those that browsers give: / goes to the box, arrows go from result to result. */
const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

export function mountKeyboard() {
  // No link: the part of the address behind the # says what is searched.
  addEventListener("click", (event) => {
    if (event.target.closest?.(".skip")) document.querySelector("#results").focus();
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "/" && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      document.querySelector("#q, .pick")?.focus();
    }
    if (event.key in STEPS) stepResult(event, STEPS[event.key]);
  });
}

function stepResult(event, by) {
  const card = event.target.closest?.(".card");
  if (!card) return;
  const next = by > 0 ? card.nextElementSibling : card.previousElementSibling;
  next?.querySelector("button")?.focus();
}

function isTyping(element) {
  return element.matches?.("input:not([type=radio], [type=checkbox]), textarea, select") ?? false;
}
