/** What a screen reader is told, and the bar that shows only when something takes a while. */
const SLOW_MS = 500;

export function say(text) {
  document.querySelector("#status").textContent = text;
}

/** Show the progress bar if `work` takes more than half a second; return what it returns. */
export async function watched(work, words) {
  const bar = document.querySelector("#progress");
  const timer = setTimeout(() => {
    bar.hidden = false;
    say(words);
  }, SLOW_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    bar.hidden = true;
  }
}
