/** Filters as the address writes them (`modality=CT`, `age_years>=60`) and as the service reads them. */
const TYPED = /^([a-z_]+)(>=|<=|=)(.*)$/s;
const OPERATORS = { "=": "eq", ">=": "gte", "<=": "lte" };
const FLAGS = new Set(["contrast", "abnormal", "synthetic"]);
const NUMBERS = new Set(["age_years", "slice_number", "year"]);

/** Return {key, sign, value} of a written filter, or null if it is none. */
export function readFilter(text) {
  const found = TYPED.exec(text);
  return found && { key: found[1], sign: found[2], value: found[3] };
}

export function writeFilter(key, value, sign = "=") {
  return `${key}${sign}${value}`;
}

/** Values of one field are alternatives, different fields must all hold. */
export function filterBody(written) {
  const alternatives = new Map();
  const parts = [];
  for (const filter of written.map(readFilter)) {
    if (!filter) continue;
    const value = typed(filter);
    if (filter.sign === "=") {
      alternatives.set(filter.key, [...(alternatives.get(filter.key) ?? []), value]);
    } else parts.push({ type: OPERATORS[filter.sign], key: filter.key, value });
  }
  for (const [key, values] of alternatives) {
    parts.push(
      values.length === 1
        ? { type: "eq", key, value: values[0] }
        : { type: "in", key, value: values },
    );
  }
  if (parts.length === 0) return undefined;
  return parts.length === 1 ? parts[0] : { type: "and", filters: parts };
}

function typed({ key, value }) {
  if (FLAGS.has(key)) return value === "true";
  return NUMBERS.has(key) ? Number(value) : value;
}
