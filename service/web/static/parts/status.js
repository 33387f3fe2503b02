/** What a screen reader is told, and the bar that shows only when something takes a while. */
const SLOW_MS = 500;

export function say(text) {
  document.querySelector("#status").textContent = text;
}

let slow = 0;

/** Show the progress bar while `work` takes more than half a second; return what it returns. */
export async function watched(work, words) {
  const bar = document.querySelector("#progress");
  let isSlow = false;
  const timer = setTimeout(() => {
    isSlow = true;
    slow += 1;
    bar.hidden = false;
    say(words);
  }, SLOW_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    if (isSlow) slow -= 1;
    bar.hidden = slow === 0; // something else may still be on its way
  }
}

/** Wait until what was drawn is on the screen. */
export function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}
