import { filterBody } from "./filters.js";
import { pictureOf } from "./pictures.js";

export const PAGE_SIZE = 24;
const PATHS = { words: "/v1/search/text", picture: "/v1/search/image", questions: "/v1/search/questions" };

/** Return the path and body of the search that a state asks for, or null if its picture is gone. */
export function searchRequest(state) {
  const path = PATHS[state.mode];
  const body = options(state);
  if (state.mode === "picture" && state.picture) {
    const picture = pictureOf(state.picture);
    return picture && { path, body: pictureForm(picture.file, body) };
  }
  if (state.like) body.record_id = state.like;
  else body.query = state.q;
  return { path, body };
}

function options(state) {
  const body = { k: PAGE_SIZE };
  const group = state.group || (state.mode === "questions" ? "none" : "case");
  if (group !== "none") body.group_by = group;
  const filters = filterBody(state.filter);
  if (filters) body.filters = filters;
  if (state.index.length) body.indexes = state.index;
  if (state.less.length) body.exclude_records = state.less;
  return body;
}

function pictureForm(file, params) {
  const form = new FormData();
  // The file's name stays here: it may be a patient's.
  form.append("file", file, "picture");
  form.append("params", JSON.stringify(params));
  return form;
}
