import { EMPTY } from "./address.js";
import { t } from "./language.js";
import { keepPicture } from "./pictures.js";
import { go } from "./state.js";
import { watched } from "./status.js";

export const ACCEPTED = ".png,.jpg,.jpeg,.tif,.tiff,.webp,.dcm,.dicom,.ima,.zip,image/*,application/dicom,application/zip";

/** Search with a picture, or with several files (a zip archive of them) as one series. */
export async function acceptFiles(files) {
  if (files.length === 0) return;
  const picture = await watched(keepPicture(files), t("reading"));
  go({ ...EMPTY, mode: "picture", picture });
}

/** Take files and folders that are dropped anywhere on the page, or pasted. */
export function mountUpload(curtain) {
  let depth = 0; // dragenter and dragleave also fire for every element inside
  const show = () => {
    curtain.hidden = depth === 0;
  };
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    depth += 1;
    show();
  });
  addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    show();
  });
  addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show();
    void filesOf(event.dataTransfer).then(acceptFiles);
  });
  addEventListener("paste", (event) => {
    const files = event.clipboardData?.files ?? [];
    if (files.length === 0) return;
    event.preventDefault();
    void acceptFiles(files);
  });
}

/** Return what was dropped, with everything that lies in dropped folders. */
function filesOf({ items, files }) {
  const plain = [...files]; // must be read before anything is awaited
  const entries = [...items].map((one) => one.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some(({ isDirectory }) => isDirectory)) return Promise.resolve(plain);
  return Promise.all(entries.map(filesBelow)).then((found) => found.flat());
}

async function filesBelow(entry) {
  if (entry.isFile) return new Promise((resolve, reject) => entry.file(resolve, reject));
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found; // a reader gives a hundred at a time
    found.push(...(await Promise.all(some.map(filesBelow))).flat());
  }
}
