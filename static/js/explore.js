// Goes on from what was brushed in the charts of the explorer: writes the ends of the range into
// the fields of its form and into the address, and fetches the rows in it. Without this file the
// form does the same by loading the page.

import { select } from "./brush.js";

const form = document.getElementById("explore");
const region = document.querySelector('[data-region="picked"]');
const EDGE = 0.5;
const JITTER = 0.31;
let asked = 0;

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
  const across = box ? range(plot, "x", box.left, box.right) : ["", ""];
  const upward = box ? range(plot, "y", 100 - box.bottom, 100 - box.top) : ["", ""];
  const ends = { x_from: across[0], x_to: across[1], y_from: upward[0], y_to: upward[1] };
  for (const [name, value] of Object.entries(ends)) form.elements[name].value = value;
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  history.replaceState(null, "", `?${query}`);
  show(query);
}

// What reaches the edge of the chart is open there: gaps and values far out lie at the edges.
function range(plot, letter, first, last) {
  const [low, high] = plot.dataset[letter].split(" ").map(Number);
  const at = (share) => low + ((high - low) * share) / 100;
  const choices = form.elements[`${letter}_from`].options;
  if (!choices) {
    const digits = Math.max(0, 3 - Math.floor(Math.log10(high - low || 1)));
    const said = (share) => at(share).toFixed(Math.min(digits, 12));
    return [first <= EDGE ? "" : said(first), last >= 100 - EDGE ? "" : said(last)];
  }
  const least = Math.max(0, Math.ceil(at(first) - JITTER));
  const most = Math.min(choices.length - 2, Math.floor(at(last) + JITTER));
  return [choices[least + 1]?.value ?? "", choices[Math.max(most, least) + 1]?.value ?? ""];
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
