/** Keep a preference of this browser; where storage is forbidden it lasts as long as the page. */
export function remember(name, value) {
  try {
    localStorage.setItem(`medsearch.${name}`, value);
  } catch {
    // Nothing depends on it.
  }
}

export function recall(name) {
  try {
    return localStorage.getItem(`medsearch.${name}`);
  } catch {
    return null;
  }
}
