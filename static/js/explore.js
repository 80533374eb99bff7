// Goes on from what was brushed in the charts of the explorer: writes the ends of the range into
// the fields of its form and into the address, and fetches the rows in it. Without this file the
// form does the same by loading the page.

import { select } from "./brush.js";

const form = document.getElementById("explore");
const region = document.querySelector('[data-region="picked"]');
const EDGE = 0.5;
const JITTER = 0.31;
const SOON = 120;
let asked = 0;
let waiting = 0;

document.addEventListener("brushed", (event) => {
  if (form && region) pick(event.target, event.detail.box);
});

document.addEventListener("click", (event) => {
  const clear = event.target.closest?.("[data-clear]");
  if (!clear || !region) return;
  event.preventDefault();
  const plot = document.querySelector("[data-plot][data-brush]");
  if (plot) select(plot.dataset.brush, null);
  pick(plot, null);
});

function pick(plot, box) {
  const across = box && range(plot, "x", box.left, box.right);
  const upward = box && range(plot, "y", 100 - box.bottom, 100 - box.top);
  const ends = { x_from: across?.from, x_to: across?.to, y_from: upward?.from, y_to: upward?.to };
  const hadNone = Object.keys(ends).every((name) => form.elements[name].value === "");
  if (!box && hadNone) return;
  for (const [name, value] of Object.entries(ends)) form.elements[name].value = value ?? "";
  if (box) {
    // As it was rounded, so that what is highlighted is what is listed.
    const [left, right] = across.drawn, [low, high] = upward.drawn;
    select(plot.dataset.brush, { left, right, top: 100 - high, bottom: 100 - low });
  }
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  history.replaceState(null, "", `?${query}`);
  clearTimeout(waiting);
  waiting = setTimeout(() => show(query), SOON);
}

// What reaches the edge of the chart is open there: gaps and values far out lie at the edges.
// Of choices always whole ones are picked.
function range(plot, letter, first, last) {
  const [low, high, least] = plot.dataset[letter].split(" ").map(Number);
  const at = (share) => low + ((high - low) * share) / 100;
  const choices = form.elements[`${letter}_from`].options;
  if (choices) return ofChoices(choices, at(first), at(last), high - low);
  const digits = Math.min(12, Math.max(0, 3 - Math.floor(Math.log10(high - low || 1))));
  const from = first <= EDGE || at(first) < least ? "" : at(first).toFixed(digits);
  const to = last >= 100 - EDGE ? "" : at(last).toFixed(digits);
  const along = (value) => (100 * (Number(value) - low)) / (high - low);
  return { from, to, drawn: [from ? along(from) : 0, to ? along(to) : 100] };
}

function ofChoices(choices, first, last, count) {
  const from = Math.max(0, Math.min(count - 1, Math.ceil(first - JITTER)));
  const to = Math.max(from, Math.min(count - 1, Math.floor(last + JITTER)));
  const drawn = [(100 * from) / count, (100 * (to + 1)) / count];
  // The first of the options is "any".
  return { from: choices[from + 1].value, to: choices[to + 1].value, drawn };
}

async function show(query) {
  const turn = ++asked;
  region.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`?${query}`, { headers: { "X-Fragment": "1" } });
    if (answer.headers.get("X-Fragment") !== "1") throw new Error(`status ${answer.status}`);
    const html = await answer.text();
    if (turn === asked) region.innerHTML = html;
  } catch {
    if (turn !== asked) return;
    const problem = document.querySelector("template[data-problem]").content.firstElementChild;
    region.replaceChildren(problem.cloneNode(true));
  } finally {
    if (turn === asked) region.removeAttribute("aria-busy");
  }
}
