/**
 * Pictures given to the page, kept in this tab only. The address names them by number, so that the
 * back button finds them again; a shared address does not carry them.
 */
const pictures = new Map();
const SHOWN_BY_BROWSERS = new Set(["PNG", "JPEG", "WebP", "GIF", "BMP"]);

export function pictureOf(id) {
  return pictures.get(id) ?? null;
}

/** Keep a file; return the number that the address names it by. */
export async function keepPicture(file) {
  const format = await formatOf(file);
  const id = String(pictures.size + 1);
  pictures.set(id, { file, format, bytes: file.size, preview: previewOf(file, format) });
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

/** Return the address of something to look at, or null where browsers do not read the format. */
async function previewOf(file, format) {
  return SHOWN_BY_BROWSERS.has(format) ? URL.createObjectURL(file) : null;
}
