/**
 * Pictures and series given to the page, kept in this tab only. The address names them by number,
 * so that the back button finds them again; a shared address does not carry them.
 */
import { askJson } from "./api.js";
import { formatOf } from "./formats.js";

/** The service compares so many slices of a series at most; more need not travel. */
export const MOST_COMPARED = 32;
const SHOWN_BY_BROWSERS = new Set(["PNG", "JPEG", "WebP", "GIF", "BMP"]);
const pictures = new Map();

export function pictureOf(id) {
  return pictures.get(id) ?? null;
}

/**
 * Keep files as one picture, or as one series if they are several; return the number that the
 * address names it by. `images` counts what was given, `files` are those that are sent.
 */
export async function keepPicture(given) {
  const read = await Promise.all([...given].map(async (file) => ({ file, format: await formatOf(file) })));
  const known = read.filter(({ format }) => format);
  const images = known.length ? known : read.slice(0, 1); // the service says what is wrong with it
  images.sort((one, other) => one.file.name.localeCompare(other.file.name, "en", { numeric: true }));
  const chosen = spread(images, MOST_COMPARED);
  const files = chosen.map(({ file }) => file);
  const formats = new Set(chosen.map(({ format }) => format));
  const picture = {
    files,
    images: images.length,
    leftOut: read.length - images.length,
    format: formats.size === 1 ? [...formats][0] : "",
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    isSeries: files.length > 1 || formats.has("ZIP"),
  };
  const seen = new Map();
  picture.preview = (window) => {
    if (!seen.has(window)) seen.set(window, previewOf(picture, window));
    const asked = seen.get(window);
    void asked.then((found) => found ?? seen.delete(window)); // a service that was away may be back
    return asked;
  };
  const id = String(pictures.size + 1);
  pictures.set(id, picture);
  return id;
}

/** Return at most `most` of a list, the middles of equal parts: those that the service would take. */
function spread(list, most) {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, part) => list[Math.floor(((2 * part + 1) * list.length) / (2 * most))]);
}

/** Return a form of the picture's files; their names stay here: they may be a patient's. */
export function pictureForm({ files }, params) {
  const form = new FormData();
  for (const file of files) form.append("file", file, "picture");
  form.append("params", JSON.stringify(params));
  return form;
}

/**
 * Return what there is to look at: `slices` with their addresses and sizes, how many `images` were
 * understood, the `windows` that fit; null where the service cannot read it.
 */
async function previewOf(picture, window) {
  if (!picture.isSeries && SHOWN_BY_BROWSERS.has(picture.format)) {
    return { slices: [{ address: URL.createObjectURL(picture.files[0]) }], images: 1, windows: [] };
  }
  if (!picture.format && !picture.isSeries) return null;
  try {
    const body = pictureForm(picture, window ? { window } : {});
    const { slices, images, windows } = await askJson("/v1/previews", { body });
    return { slices: slices.map(shown), images: Math.max(images, picture.images), windows };
  } catch {
    return null; // the search itself says why it cannot be read
  }
}

function shown({ jpeg_base64: jpeg, width_px: width, height_px: height }) {
  const bytes = Uint8Array.from(atob(jpeg), (mark) => mark.charCodeAt(0));
  return { address: URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" })), jpeg, width, height };
}

/** Return one picture as base64: the file itself, or how the middle slice of a series looks. */
export async function base64Of(picture, window) {
  if (!picture.isSeries) return dataAddress(picture.files[0]);
  const seen = await picture.preview(window);
  return seen?.slices[Math.floor(seen.slices.length / 2)].jpeg ?? "";
}

/** Return a file as a data URL, which the service takes for base64. */
async function dataAddress(file) {
  const reader = new FileReader();
  reader.readAsDataURL(file);
  await new Promise((resolve) => reader.addEventListener("loadend", resolve, { once: true }));
  return reader.result;
}
