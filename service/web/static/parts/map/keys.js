/** The map by keyboard: arrows step from point to point, H from hit to hit, Enter opens. */
import { nextSpot } from "./points.js";

const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
const ZOOMS = { "+": 1.4, "=": 1.4, "-": 1 / 1.4 };

/** `spots()` and `marks()` return what can be stepped to; `look(spot)` and `open(spot)` are told. `start(spot)` says where steps begin. */
export function mountKeys(canvas, plot, { spots, marks, look, open }) {
  let at = null;
  let hit = -1;

  function step(to) {
    if (!to) return;
    at = to;
    plot.reveal(to);
    look(to);
  }

  const middle = () => plot.nearest(spots(), canvas.clientWidth / 2, canvas.clientHeight / 2, Infinity);
  const nextHit = () => {
    hit = (hit + 1) % Math.max(marks().length, 1);
    return marks()[hit]?.spot;
  };

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (key in DIRECTIONS) step(at && spots().includes(at) ? nextSpot(spots(), at, DIRECTIONS[key]) : (marks()[0]?.spot ?? middle()));
    else if (key === "h" || key === "H") step(nextHit());
    else if (key in ZOOMS) plot.zoomAt(ZOOMS[key]);
    else if (key === "0") plot.fit();
    else if ((key === "Enter" || key === " ") && at) open(at);
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("blur", () => look(null));
  return { start: (spot) => { at = spot; } };
}
