// Leads from a stretch that was dragged over a chart of times to the same page with that time:
// data-zooms around the chart is the address, to which from and to are added, in UTC. The form for
// the time does the same by keys and without scripts.

import { draw } from "./drag.js";

const LEAST = 2; // percent of a chart: less is a slip of the hand
const MINUTE = 60, SHORTEST = 5 * MINUTE;

document.addEventListener("dragging", ({ target, detail }) => {
  if (target.dataset.times) draw(target, detail.box);
});

document.addEventListener("dragged", ({ target, detail }) => {
  if (!target.dataset.times) return;
  const page = target.closest("[data-zooms]");
  const { left, right } = detail.box ?? { left: 0, right: 0 };
  if (right - left < LEAST) return draw(target, null);
  const [low, high] = target.dataset.times.split(" ").map(Number);
  const at = (share) => low + ((high - low) * share) / 100;
  const from = Math.floor(at(left) / MINUTE) * MINUTE;
  const to = Math.max(Math.ceil(at(right) / MINUTE) * MINUTE, from + SHORTEST);
  const address = new URL(page.dataset.zooms, location.href);
  address.searchParams.set("from", written(from));
  address.searchParams.set("to", written(to));
  location.assign(address);
});

function written(seconds) {
  return new Date(1000 * seconds).toISOString().slice(0, 16);
}
