import { FACET_FIELDS } from "./fields.js";
import { filterBody } from "./filters.js";
import { pictureForm, pictureOf } from "./pictures.js";

export const PAGE_SIZE = 24;
const PATHS = { words: "/v1/search/text", picture: "/v1/search/image", questions: "/v1/search/questions" };

/** Return the path and body of the search that a state asks for, or null if its picture is gone. */
export function searchRequest(state, offset = 0) {
  const path = PATHS[state.mode];
  const body = options(state, offset);
  const picture = state.mode === "picture" && state.picture ? pictureOf(state.picture) : null;
  if (state.picture && state.mode === "picture" && !picture) return null;
  if (picture?.isSeries && state.match) body.match = state.match;
  if (state.q && !picture?.isSeries) body.query = state.q;
  if (picture) return { path, body: pictureForm(picture, body) };
  if (state.like) body.record_id = state.like;
  return { path, body };
}

function options(state, offset) {
  const body = { k: PAGE_SIZE, offset, explain: true };
  if (state.group) body.group_by = state.group;
  if (offset === 0) Object.assign(body, { facets: FACET_FIELDS[state.mode], evidence: state.mode === "picture" });
  const filters = filterBody(state.filter);
  if (filters) body.filters = filters;
  if (state.index.length) body.indexes = state.index;
  if (state.window && state.mode === "picture") body.windows = [state.window];
  if (state.less.length) body.negative_records = state.less;
  // Of what is similar to a record, the rest of its own case is known already.
  if (state.like && state.mode === "picture") body.exclude_same = ["case"];
  if (state.like && state.mode === "questions") body.exclude_records = [state.like];
  return body;
}
