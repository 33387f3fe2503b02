import { askBlob, hasKey } from "./api.js";
import { h } from "./dom.js";

/** How far from the screen images are loaded, and let go again: a long list holds few of them. */
const NEAR = "800px";

const nearby = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) load(target, target.dataset.from);
      else target.removeAttribute("src"); // the browser's cache has it, should it come back
    }
  },
  { rootMargin: NEAR },
);

/** Show an image; where a key is needed, it is fetched with the key. */
function load(image, path) {
  if (hasKey()) void fetchInto(image, path);
  else image.src = path;
}

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
  const image = h("img", { alt, decoding: "async", draggable: "false", "data-from": path });
  image.addEventListener("error", () => image.classList.add("broken"));
  image.addEventListener("load", () => image.classList.remove("broken"));
  if (eager) load(image, path);
  else nearby.observe(image);
  return image;
}

export function showThumbnail(image, path) {
  load(image, path);
}
