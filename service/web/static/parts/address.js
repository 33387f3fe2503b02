/**
 * What the page shows, kept in the address behind the #: a search can be shared, the back button
 * works, and since browsers never send that part, no server's log learns what was asked.
 */
export const MODES = ["words", "picture", "questions"];
const LISTS = ["filter", "index", "less"];
const TEXTS = ["q", "like", "picture", "window", "match", "group", "record", "prompt", "map", "spot"];

export const EMPTY = Object.freeze({
  mode: "words",
  q: "",
  like: "",
  picture: "",
  filter: [],
  index: [],
  less: [],
  window: "",
  match: "",
  group: "",
  record: "",
  prompt: "",
  map: "",
  spot: "",
});

export function readAddress(fragment) {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const state = { ...EMPTY };
  if (MODES.includes(given.get("mode"))) state.mode = given.get("mode");
  for (const name of TEXTS) state[name] = given.get(name) ?? "";
  for (const name of LISTS) state[name] = given.getAll(name);
  return state;
}

export function writeAddress(state) {
  const parts = new URLSearchParams();
  if (state.mode !== EMPTY.mode) parts.set("mode", state.mode);
  for (const name of TEXTS) if (state[name]) parts.set(name, state[name]);
  for (const name of LISTS) for (const value of state[name]) parts.append(name, value);
  const text = parts.toString();
  return text ? `#${text}` : "";
}

/** Whether a state asks for anything: words, a record or a picture. */
export function asks(state) {
  return Boolean(state.q || state.like || state.picture);
}

/** Return what of a state decides the results, as one comparable text. */
export function searchKey(state) {
  return writeAddress({ ...state, record: "", prompt: "", map: "", spot: "" });
}
