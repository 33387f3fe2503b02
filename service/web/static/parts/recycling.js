/** Cards far from the screen are emptied, and filled again before they come back: a tab stays light. */
const FAR = "4000px";
const contents = new WeakMap();

const nearby = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting: isNear, target: card } of entries) {
      if (isNear && !card.firstChild) fill(card);
      else if (!isNear && !card.contains(document.activeElement)) card.replaceChildren();
    }
  },
  { rootMargin: FAR },
);

/**
 * Fill a card with what `build` returns: at once where that is asked for, else as soon as it is near.
 * Its size is remembered while it is empty (results.css).
 */
export function recycled(card, build, { atOnce }) {
  contents.set(card, build);
  if (atOnce) fill(card);
  else card.classList.add("blank");
  nearby.observe(card);
  return card;
}

function fill(card) {
  card.append(...contents.get(card)());
  card.classList.remove("blank");
}
