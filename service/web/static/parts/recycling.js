/** Cards far from the screen are emptied, and filled again before they come back: a tab stays light. */
const FAR = "4000px";
const contents = new WeakMap();

const nearby = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting: isNear, target: card } of entries) {
      if (isNear && !card.firstChild) card.append(...contents.get(card)());
      else if (!isNear && !card.contains(document.activeElement)) card.replaceChildren();
    }
  },
  { rootMargin: FAR },
);

/** Fill a card with what `build` returns. Its size is remembered while it is empty (results.css). */
export function recycled(card, build) {
  card.append(...build());
  contents.set(card, build);
  nearby.observe(card);
  return card;
}
