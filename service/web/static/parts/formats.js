/** Tells a file's format from its first bytes, as the service does. */
const HEAD_BYTES = 132;
const PREAMBLE_BYTES = 128;

/** Return "DICOM", "PNG", "ZIP" and so on, or "" where nothing is known of the bytes. */
export async function formatOf(file) {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const starts = (...bytes) => bytes.every((byte, at) => head[at] === byte);
  const says = (text, from) => [...text].every((mark, at) => head[from + at] === mark.charCodeAt(0));
  if (says("DICM", PREAMBLE_BYTES)) return "DICOM";
  if (starts(0x89, 0x50, 0x4e, 0x47)) return "PNG";
  if (starts(0xff, 0xd8)) return "JPEG";
  if (starts(0x49, 0x49, 0x2a) || starts(0x4d, 0x4d, 0, 0x2a)) return "TIFF";
  if (says("RIFF", 0) && says("WEBP", 8)) return "WebP";
  if (says("PK\x03\x04", 0)) return "ZIP";
  if (says("GIF8", 0)) return "GIF";
  if (says("BM", 0)) return "BMP";
  return beginsLikeAnElement(head) ? "DICOM" : "";
}

/** Whether a file without preamble begins with an element of group 0002 or 0008. */
function beginsLikeAnElement(head) {
  const group = head[0] | (head[1] << 8);
  const number = head[2] | (head[3] << 8);
  return head.length === HEAD_BYTES && (group === 2 || group === 8) && number <= 0x100;
}
