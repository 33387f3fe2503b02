/** The map of an index: its points, what colours them, and where hits lie among them. */
import { askJson } from "../api.js";
import { t } from "../language.js";
import { valueWords } from "../words_of.js";

/** So many values have a colour of their own: more could not be told apart. */
const COLOURS = 10;
const NOT_STATED = -1;
const ROUNDS = 40;

export async function loadMap(name) {
  const told = await askJson(pathOf(name));
  const spots = told.record_ids.map((id, at) => ({ id, at, x: told.x[at], y: told.y[at], drawn: true }));
  return { ...told, spots, byId: new Map(spots.map((spot) => [spot.id, spot])) };
}

/** Put records on the map that are not among its points, if the index has them; return those of `ids`. */
export async function locate(map, ids) {
  const others = map.points < map.records ? ids.filter((id) => !map.byId.has(id)) : [];
  if (others.length) {
    const { places } = await askJson(`${pathOf(map.index)}/places`, { body: { record_ids: others } });
    for (const { record_id: id, x, y } of places) {
      const spot = { id, at: map.spots.length, x, y, drawn: false };
      map.spots.push(spot);
      map.byId.set(id, spot);
    }
  }
  return ids.map((id) => map.byId.get(id)).filter(Boolean);
}

/** Group the points by what they state: the commonest values by themselves, the rest together. */
export function groupsOf(map, key) {
  const category = map.categories.find((one) => one.key === key);
  if (!category) return [{ swatch: "c0", words: t("map_all"), spots: map.spots.filter(({ drawn }) => drawn) }];
  const named = category.values.slice(0, COLOURS).map(({ value }, code) => ({ swatch: `c${code}`, words: valueWords(value), spots: [] }));
  const other = { swatch: "other", words: t("map_other"), spots: [] };
  const bare = { swatch: "bare", words: t("map_not_stated"), spots: [] };
  category.codes.forEach((code, at) => (code === NOT_STATED ? bare : (named[code] ?? other)).spots.push(map.spots[at]));
  return [...named, other, bare].filter(({ spots }) => spots.length);
}

/** Return what a point states, in words: "CT · chest · fractured". */
export function statedAt(map, spot) {
  const said = map.categories.map(({ key, values, codes }) => {
    const value = values[codes[spot.at]]?.value;
    if (value === undefined || key === "split" || key === "language") return null;
    return typeof value === "boolean" ? `${t(`field_${key}`)}: ${valueWords(value)}` : valueWords(value);
  });
  return [...new Set(said.filter(Boolean))].join(" · ");
}

/**
 * Return the geometric median of places (Weiszfeld's iteration): where most of them lie. A mean
 * would lie between two groups, where nothing is.
 */
export function middleOf(places) {
  let middle = mean(places, () => 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    const { x, y } = middle;
    middle = mean(places, (place) => 1 / Math.max(Math.hypot(place.x - x, place.y - y), 1e-6));
  }
  return middle;
}

function mean(places, weightOf) {
  const sum = { x: 0, y: 0, weight: 0 };
  for (const place of places) {
    const weight = weightOf(place);
    sum.x += weight * place.x;
    sum.y += weight * place.y;
    sum.weight += weight;
  }
  return { x: sum.x / sum.weight, y: sum.y / sum.weight };
}

/** Return the spot that lies next in a direction, or null where there is none. */
export function nextSpot(spots, from, [right, down]) {
  let best = null;
  let least = Infinity;
  for (const spot of spots) {
    const along = (spot.x - from.x) * right + (spot.y - from.y) * down;
    const across = Math.abs((spot.x - from.x) * down - (spot.y - from.y) * right);
    if (along <= 0 || across > along || spot === from) continue;
    const cost = along + across;
    if (cost < least) [best, least] = [spot, cost];
  }
  return best;
}

function pathOf(name) {
  return `/v1/indexes/${encodeURIComponent(name)}/map`;
}
