/** Pointers on the map: drag moves it, the wheel and two fingers zoom, a press opens what is under it. */
const PRESS_PX = 5;
const REACH_PX = { mouse: 14, pen: 18, touch: 28 };

/** `hover(x, y, reach)` and `press(x, y, reach)` are told places of the canvas; `leave()` when it is left. */
export function mountGestures(canvas, plot, { hover, press, leave }) {
  const held = new Map();
  let moved = 0;

  const placeOf = (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    if (held.size === 0) moved = 0;
    held.set(event.pointerId, placeOf(event));
  });

  canvas.addEventListener("pointermove", (event) => {
    const now = placeOf(event);
    const before = held.get(event.pointerId);
    if (!before) {
      hover(now.x, now.y, REACH_PX[event.pointerType] ?? REACH_PX.mouse);
      return;
    }
    moved += Math.hypot(now.x - before.x, now.y - before.y);
    if (moved < PRESS_PX) return;
    leave();
    canvas.classList.add("held");
    const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
    if (other) pinch(before, now, other);
    else plot.moveBy(now.x - before.x, now.y - before.y);
    held.set(event.pointerId, now);
  });

  /** One finger went from `before` to `now` while the other rested. */
  function pinch(before, now, other) {
    const factor = Math.hypot(now.x - other.x, now.y - other.y) / Math.max(Math.hypot(before.x - other.x, before.y - other.y), 1);
    plot.zoomAt(factor, (now.x + other.x) / 2, (now.y + other.y) / 2);
    plot.moveBy((now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  function release(event) {
    const was = held.delete(event.pointerId);
    canvas.classList.remove("held");
    if (!was || event.type === "pointercancel" || moved >= PRESS_PX || held.size) return;
    const { x, y } = placeOf(event);
    press(x, y, REACH_PX[event.pointerType] ?? REACH_PX.mouse);
  }
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => held.size === 0 && leave());

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = placeOf(event);
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    plot.zoomAt(Math.exp(-Math.max(Math.min(event.deltaY * lines, 200), -200) * 0.002), x, y);
  }, { passive: false });
}
