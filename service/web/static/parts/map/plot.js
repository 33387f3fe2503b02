/** Draws a map on a canvas: points in the colours of their groups, hits by rank, the query's cross. */
const MARGIN = 28;
const MOST_ZOOM = 60;
const FULL = 2 * Math.PI;
const NUMBERED = 10;
const LABEL = 9;

export function mountPlot(canvas, colourOf) {
  const context = canvas.getContext("2d");
  const view = { zoom: 1, x: 0, y: 0 };
  let size = { width: 0, height: 0 };
  let scene = { groups: [], marks: [], query: null, spots: 0 };
  let alone = new Set();
  let cursor = null;
  let waiting = false;
  const colours = new Map();

  /** A colour as it is now, asked for once a drawing. */
  const paint = (name) => {
    if (!colours.has(name)) colours.set(name, colourOf(name));
    return colours.get(name);
  };
  const side = () => Math.max(Math.min(size.width, size.height) - 2 * MARGIN, 50) * view.zoom;
  const toScreen = ({ x, y }) => ({
    x: size.width / 2 + (x - 0.5) * side() + view.x,
    y: size.height / 2 + (y - 0.5) * side() + view.y,
  });
  /** Few points are drawn large, many small; closer up they grow, but slower than the map. */
  const radius = () => {
    const room = side() / view.zoom / Math.sqrt(Math.max(scene.spots, 1));
    return Math.min(Math.max(0.2 * room, 2), 5.5) * view.zoom ** 0.3;
  };

  const measure = () => {
    size = { width: canvas.clientWidth, height: canvas.clientHeight };
  };

  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }

  function draw() {
    const ratio = devicePixelRatio || 1;
    colours.clear();
    measure();
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    drawPoints(ratio);
    drawRays();
    if (scene.query) drawCross(toScreen(scene.query));
    drawMarks();
    if (cursor) ring(toScreen(cursor), radius() + 5, paint("ink"), 2);
  }

  function drawPoints(ratio) {
    const usual = scene.marks.length ? 0.5 : 0.85;
    const reach = radius() + 1;
    // The commonest lie lowest, so that what is rare is seen.
    for (const { swatch, spots } of [...scene.groups].sort((one, other) => other.spots.length - one.spots.length)) {
      const chosen = alone.has(swatch);
      context.globalAlpha = chosen ? 0.95 : alone.size ? 0.1 : usual;
      const stamp = stampOf(swatch, reach, ratio);
      for (const spot of spots) {
        const { x, y } = toScreen(spot);
        const inside = x > -reach && y > -reach && x < size.width + reach && y < size.height + reach;
        if (inside) context.drawImage(stamp, x - reach, y - reach, 2 * reach, 2 * reach);
      }
    }
    context.globalAlpha = 1;
  }

  /** One point of a colour, drawn once: stamping thousands is far quicker than drawing each. */
  function stampOf(swatch, reach, ratio) {
    const wide = Math.ceil(2 * reach * ratio);
    const stamp = new OffscreenCanvas(wide, wide);
    const pen = stamp.getContext("2d");
    pen.fillStyle = paint(swatch);
    pen.arc(wide / 2, wide / 2, radius() * ratio, 0, FULL);
    pen.fill();
    return stamp;
  }

  /** Thin lines from the query to its first hits. */
  function drawRays() {
    if (!scene.query) return;
    const from = toScreen(scene.query);
    context.strokeStyle = paint("accent");
    context.globalAlpha = 0.35;
    context.lineWidth = 1;
    context.beginPath();
    for (const { spot } of scene.marks.slice(0, NUMBERED)) {
      const to = toScreen(spot);
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** Hits: the first ten by their ranks where there is room, the others as rings; the best on top. */
  function drawMarks() {
    const numbered = [];
    for (const [number, { spot }] of scene.marks.entries()) {
      const at = toScreen(spot);
      const room = numbered.every((other) => Math.hypot(at.x - other.at.x, at.y - other.at.y) > 1.7 * LABEL);
      if (number < NUMBERED && room) numbered.push({ at, number });
      else halo(at, Math.max(radius() + 1, 4), spot.drawn);
    }
    context.font = "600 11px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const { at, number } of numbered.reverse()) {
      context.beginPath();
      context.arc(at.x, at.y, LABEL, 0, FULL);
      context.fillStyle = paint("ink");
      context.fill();
      ring(at, LABEL, paint("card"), 1.5);
      context.fillStyle = paint("card");
      context.fillText(String(scene.marks[number].rank), at.x, at.y + 0.5);
    }
  }

  function halo(at, r, drawn) {
    ring(at, r, paint("card"), 4);
    if (!drawn) context.setLineDash([3, 2]); // placed among the points that are like it
    ring(at, r, paint("ink"), 1.8);
    context.setLineDash([]);
  }

  function ring({ x, y }, r, colour, width) {
    context.beginPath();
    context.arc(x, y, r, 0, FULL);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }

  function drawCross(at) {
    for (const [colour, width] of [[paint("card"), 5], [paint("accent"), 2.5]]) {
      ring(at, 15, colour, width);
      context.beginPath();
      for (const [x, y] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(at.x + 12 * x, at.y + 12 * y);
        context.lineTo(at.x + 21 * x, at.y + 21 * y);
      }
      context.stroke();
    }
  }

  function zoomAt(factor, x = size.width / 2, y = size.height / 2) {
    const zoom = Math.min(Math.max(view.zoom * factor, 0.8), MOST_ZOOM);
    const change = zoom / view.zoom;
    view.x = (x - size.width / 2) * (1 - change) + view.x * change;
    view.y = (y - size.height / 2) * (1 - change) + view.y * change;
    view.zoom = zoom;
    redraw();
  }

  function moveBy(x, y) {
    view.x += x;
    view.y += y;
    redraw();
  }

  /** Show the whole map, or just some places with what lies around them. */
  function fit(places = []) {
    Object.assign(view, { zoom: 1, x: 0, y: 0 });
    if (places.length) {
      const [left, right] = [Math.min(...places.map(({ x }) => x)), Math.max(...places.map(({ x }) => x))];
      const [top, bottom] = [Math.min(...places.map(({ y }) => y)), Math.max(...places.map(({ y }) => y))];
      view.zoom = Math.min(Math.max(0.6 / Math.max(right - left, bottom - top, 0.04), 1), MOST_ZOOM);
      view.x = (0.5 - (left + right) / 2) * side();
      view.y = (0.5 - (top + bottom) / 2) * side();
    }
    redraw();
  }

  /** Return the spot of some that is drawn nearest to a place of the canvas, or null. */
  function nearest(spots, x, y, within) {
    let best = null;
    let least = within ** 2;
    for (const spot of spots) {
      const at = toScreen(spot);
      const apart = (at.x - x) ** 2 + (at.y - y) ** 2;
      if (apart < least) [best, least] = [spot, apart];
    }
    return best;
  }

  /** Move the map so that a spot is well inside the canvas. */
  function reveal(spot) {
    const { x, y } = toScreen(spot);
    const inside = (value, length) => Math.min(Math.max(value, MARGIN), length - MARGIN) - value;
    moveBy(inside(x, size.width), inside(y, size.height));
  }

  new ResizeObserver(redraw).observe(canvas);
  return {
    show: (next) => { scene = { ...scene, ...next }; measure(); redraw(); },
    single: (swatches) => { alone = swatches; redraw(); },
    point: (spot) => { cursor = spot; redraw(); },
    redraw, zoomAt, moveBy, fit, nearest, reveal, toScreen,
  };
}
