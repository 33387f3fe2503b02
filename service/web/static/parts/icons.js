import { svg } from "./dom.js";

/** Strokes on a grid of 24. */
const PATHS = {
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.5 4.5",
  image: "M4 5h16v14H4zM4 16l4.5-4.5 4 4 3-3L20 17M15.5 9.5h.01",
  close: "M6 6l12 12M18 6L6 18",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
  moon: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
  similar: "M8 8h11v11H8zM5 15V5h10",
  less: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12h8",
  stack: "M12 4l8 4-8 4-8-4zM4 12l8 4 8-4M4 16l8 4 8-4",
  copy: "M9 9h10v11H9zM5 15V4h10",
  check: "M5 12.5l4.5 4.5L19 7.5",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  previous: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  prompt: "M4 5h16v11H10l-4 4v-4H4z",
  map: "M6 18h.01M9 14h.01M7 8h.01M12 10h.01M16 6h.01M18 11h.01M14 16h.01M18 18h.01",
  whole: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  filter: "M4 6h16M7 12h10M10 18h4",
};

export function icon(name) {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name] }),
  );
}
