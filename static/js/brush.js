// Brushes scatters: a rectangle that is drawn over one with data-brush="name" selects the points
// under it in all of that name, which share their axes, and the rows with their data-key in a table
// with data-brush-rows="name". By keys: Shift and an arrow spans it from point to point. A click
// beside, or Escape, puts it away. What is selected is told on the plot by an event "brushed".

import { placeOf, spotsOf } from "./charts.js";

let begun = null; // { plot, x, y }: where the pointer went down, in percent
let anchor = null; // the same of the point from which the keys span a rectangle

document.addEventListener("pointerdown", (event) => {
  const plot = event.target.closest?.("[data-plot][data-brush]");
  begun = plot && event.button === 0 ? { plot, ...percents(plot, event) } : null;
});

document.addEventListener("pointermove", (event) => {
  if (!begun || !event.buttons) return;
  const at = percents(begun.plot, event);
  if (!("brushing" in begun.plot.dataset) && Math.hypot(at.x - begun.x, at.y - begun.y) < 2) return;
  begun.plot.dataset.brushing = "";
  begun.box = between(begun, at);
  select(begun.plot.dataset.brush, begun.box);
});

document.addEventListener("pointerup", () => end());
document.addEventListener("pointercancel", () => end());

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

function end() {
  if (!begun) return;
  const { plot } = begun;
  const box = "brushing" in plot.dataset ? begun.box : null;
  if (!box) select(plot.dataset.brush, null);
  tell(plot, box);
  // The click that follows belongs to the rectangle.
  setTimeout(() => delete plot.dataset.brushing);
  begun = null;
}

function percents(plot, event) {
  const frame = plot.querySelector("svg").getBoundingClientRect();
  const within = (value) => Math.max(0, Math.min(100, value));
  return {
    x: within((100 * (event.clientX - frame.left)) / frame.width),
    y: within((100 * (event.clientY - frame.top)) / frame.height),
  };
}

function between(one, other) {
  return {
    left: Math.min(one.x, other.x),
    top: Math.min(one.y, other.y),
    right: Math.max(one.x, other.x),
    bottom: Math.max(one.y, other.y),
  };
}

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

function draw(plot, box) {
  const svg = plot.querySelector("svg");
  const rect = svg.querySelector(":scope > .brushed") ?? document.createElementNS(svg.namespaceURI, "rect");
  if (!box) return rect.remove();
  rect.setAttribute("class", "brushed");
  const places = { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top };
  for (const [side, value] of Object.entries(places)) rect.setAttribute(side, `${value}%`);
  svg.append(rect);
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
