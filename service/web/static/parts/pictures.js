/**
 * Pictures given to the page, kept in this tab only. The address names them by number, so that the
 * back button finds them again; a shared address does not carry them.
 */
import { askJson } from "./api.js";

const pictures = new Map();
const SHOWN_BY_BROWSERS = new Set(["PNG", "JPEG", "WebP", "GIF", "BMP"]);

export function pictureOf(id) {
  return pictures.get(id) ?? null;
}

/** Keep a file; return the number that the address names it by. */
export async function keepPicture(file) {
  const format = await formatOf(file);
  const id = String(pictures.size + 1);
  pictures.set(id, { file, format, bytes: file.size, preview: (window) => previewOf(file, format, window) });
  return id;
}

async function formatOf(file) {
  const head = new Uint8Array(await file.slice(0, 132).arrayBuffer());
  const starts = (...bytes) => bytes.every((byte, at) => head[at] === byte);
  const says = (text, from) => [...text].every((mark, at) => head[from + at] === mark.charCodeAt(0));
  if (says("DICM", 128)) return "DICOM";
  if (starts(0x89, 0x50, 0x4e, 0x47)) return "PNG";
  if (starts(0xff, 0xd8)) return "JPEG";
  if (starts(0x49, 0x49, 0x2a) || starts(0x4d, 0x4d, 0, 0x2a)) return "TIFF";
  if (says("RIFF", 0) && says("WEBP", 8)) return "WebP";
  if (says("GIF8", 0)) return "GIF";
  return says("BM", 0) ? "BMP" : "";
}

/** Return something to look at: the file itself, or how the service reads it; null for neither. */
async function previewOf(file, format, window) {
  if (SHOWN_BY_BROWSERS.has(format)) return { address: URL.createObjectURL(file) };
  if (!format) return null;
  try {
    const body = { image_base64: await base64Of(file), window: window || null };
    const seen = await askJson("/v1/previews", { body });
    const bytes = Uint8Array.from(atob(seen.jpeg_base64), (mark) => mark.charCodeAt(0));
    const address = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    return { address, width: seen.width_px, height: seen.height_px };
  } catch {
    return null; // the search itself says why the file cannot be read
  }
}

/** Return a file as a data URL, which the service takes for base64. */
export async function base64Of(file) {
  const reader = new FileReader();
  reader.readAsDataURL(file);
  await new Promise((resolve) => reader.addEventListener("loadend", resolve, { once: true }));
  return reader.result;
}
