// Fetches an element with data-live="address" anew every second, until the answer has none any
// more: a job that goes on. Without this file a page is loaded again, or by hand.

const EVERY = 1000;

async function follow(element) {
  try {
    const answer = await fetch(element.dataset.live, { headers: { "X-Fragment": "1" } });
    if (answer.headers.get("X-Fragment") !== "1") return;
    const part = document.createElement("template");
    part.innerHTML = await answer.text();
    const fresh = part.content.firstElementChild;
    if (holdsFocus(element) && fresh.dataset.live) copyBars(fresh, element);
    else element.replaceWith(fresh);
  } catch {
    // The server is away for a moment: the next second is another try.
  }
}

// A button that somebody is about to press must not be taken from under the finger.
function holdsFocus(element) {
  return element.contains(document.activeElement);
}

function copyBars(fresh, element) {
  const bar = element.querySelector("progress");
  if (bar) bar.value = fresh.querySelector("progress")?.value ?? bar.value;
  const step = element.querySelector("[role=status]");
  if (step) step.textContent = fresh.querySelector("[role=status]")?.textContent ?? "";
}

async function goOn() {
  if (!document.hidden) await Promise.all([...document.querySelectorAll("[data-live]")].map(follow));
  if (document.querySelector("[data-live]")) setTimeout(goOn, EVERY);
}

if (document.querySelector("[data-live]")) setTimeout(goOn, EVERY);
