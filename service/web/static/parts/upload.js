import { t } from "./language.js";
import { keepPicture } from "./pictures.js";
import { go } from "./state.js";
import { say } from "./status.js";

export const ACCEPTED = ".png,.jpg,.jpeg,.tif,.tiff,.webp,.dcm,.dicom,image/*,application/dicom";

/** Search with the first of some files: the service reads one picture at a time. */
export async function acceptFiles(files) {
  const [file] = files;
  if (!file) return;
  const picture = await keepPicture(file);
  go({ mode: "picture", picture, q: "", like: "", window: "", less: [], filter: [], index: [], group: "", record: "", prompt: "" });
  if (files.length > 1) say(t("one_of_many", { n: files.length }));
}

/** Take files that are dropped anywhere on the page, or pasted. */
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
    void acceptFiles(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    const files = event.clipboardData?.files ?? [];
    if (files.length === 0) return;
    event.preventDefault();
    void acceptFiles(files);
  });
}
