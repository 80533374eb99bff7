// Brushes scatters: a rectangle that is drawn over one with data-brush="name" selects the points
// under it in all of that name, which share their axes, and the rows with their data-key in a table
// with data-brush-rows="name". By keys: Shift and an arrow spans it from point to point. A click
// beside, or Escape, puts it away. What is selected is told on the plot by an event "brushed".

import { placeOf, spotsOf } from "./charts.js";
import { between, draw } from "./drag.js";

let anchor = null; // where the point lies from which the keys span a rectangle, in percent

document.addEventListener("dragging", ({ target, detail }) => {
  if (target.dataset.brush) select(target.dataset.brush, detail.box);
});

document.addEventListener("dragged", ({ target, detail }) => {
  if (!target.dataset.brush) return;
  if (!detail.box) select(target.dataset.brush, null);
  tell(target, detail.box);
});

document.addEventListener("spot", (event) => {
  const plot = event.target;
  if (!plot.dataset.brush) return;
  const at = placeOf(event.detail.spot);
  if (!event.detail.isWider || anchor?.plot !== plot) anchor = { plot, ...at };
  if (!event.detail.isWider) return;
  select(plot.dataset.brush, between(anchor, at));
  tell(plot, between(anchor, at));
});

document.addEventListener("keydown", (event) => {
  const name = event.target.closest?.("[data-brush]")?.dataset.brush;
  if (event.key !== "Escape" || !name) return;
  select(name, null);
  tell(event.target.closest("[data-brush]"), null);
});

function tell(plot, box) {
  plot.dispatchEvent(new CustomEvent("brushed", { bubbles: true, detail: { box } }));
}

export function select(name, box) {
  const keys = new Set();
  for (const plot of document.querySelectorAll(`[data-plot][data-brush="${CSS.escape(name)}"]`)) {
    draw(plot, box);
    const inside = spotsOf(plot).filter((spot) => isInside(spot, box));
    for (const spot of spotsOf(plot)) spot.classList.toggle("is-out", box !== null && !inside.includes(spot));
    for (const spot of inside) if (spot.dataset.key) keys.add(spot.dataset.key);
    say(plot, box && inside);
  }
  for (const row of document.querySelectorAll(`[data-brush-rows="${CSS.escape(name)}"] [data-key]`)) {
    row.classList.toggle("is-in", box !== null && keys.has(row.dataset.key));
  }
}

function isInside(spot, box) {
  const { x, y } = placeOf(spot);
  return box !== null && x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
}

function say(plot, inside) {
  const said = plot.closest("figure").querySelector("[data-brushed]");
  if (!said) return;
  const count = (tone) => inside.filter((spot) => spot.dataset.tone === tone).length;
  if (!inside) said.textContent = "";
  else if (!inside.length) said.textContent = "No rows in the selection.";
  else {
    const [wrong, judged] = [count("wrong"), count("wrong") + count("right")];
    const share = judged ? `: ${wrong} of ${judged} judged wrong (${Math.round((100 * wrong) / judged)}%)` : "";
    said.textContent = `${inside.length} ${inside.length === 1 ? "row" : "rows"} selected${share}.`;
  }
}
