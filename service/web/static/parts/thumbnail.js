import { askBlob, hasKey } from "./api.js";
import { h } from "./dom.js";

/** Images that need a key are fetched when they come near the screen; others the browser defers. */
const nearby = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      nearby.unobserve(target);
      void fetchInto(target, target.dataset.from);
    }
  },
  { rootMargin: "400px" },
);

async function fetchInto(image, path) {
  try {
    const address = URL.createObjectURL(await askBlob(path));
    image.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
    image.src = address;
  } catch {
    image.dispatchEvent(new Event("error"));
  }
}

/** Return an image of a record; `path` is its address in this service. */
export function thumbnail(path, alt, { eager = false } = {}) {
  const image = h("img", { alt, decoding: "async", loading: eager ? "eager" : "lazy", draggable: "false" });
  image.addEventListener("error", () => image.classList.add("broken"));
  showThumbnail(image, path, { eager });
  return image;
}

export function showThumbnail(image, path, { eager = true } = {}) {
  image.classList.remove("broken");
  if (!hasKey()) image.src = path;
  else if (eager) void fetchInto(image, path);
  else {
    image.dataset.from = path;
    nearby.observe(image);
  }
}
