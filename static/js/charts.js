// Reads charts out: an element with data-plot holds places with data-spot, whose <title> or title
// says what there is. The nearest one to the pointer, finger or, by arrow keys, the next one is
// shown in a tip; Enter follows data-href or a link, Escape puts the tip away. data-plot="columns"
// goes by x alone, "points" to the nearest within reach, "cells" to what lies under the pointer.
// Without this file the browser shows the titles by itself.

const REACH = 28;
let read = null; // { plot, spot }

export const spotsOf = (plot) => [...plot.querySelectorAll("[data-spot]")];

export function placeOf(spot) {
  const [x, y] = (spot.dataset.at ?? "").split(" ").map(Number);
  return { x, y };
}

prepare(document);
let kept = null; // what was read when a part of the page is taken away
document.addEventListener("swapping", () => { kept = reading(); });
document.addEventListener("swapped", (event) => {
  prepare(event.target);
  if (kept?.id && event.target.querySelector(`#${CSS.escape(kept.id)}`)) readAgain(kept);
});

document.addEventListener("pointermove", (event) => follow(event));
document.addEventListener("pointerdown", (event) => follow(event));
document.addEventListener("focusout", (event) => {
  if (event.target.matches?.("[data-plot]")) putAway();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && read) return putAway();
  if (event.target.matches?.("[data-plot]")) go(event, event.target);
});
document.addEventListener("click", (event) => {
  const spot = event.target.closest?.("[data-spot][data-href]");
  if (spot && !spot.closest("[data-brushing]")) location.assign(spot.dataset.href);
});

// A plot is one stop of the Tab key, and says how to go on from there.
function prepare(root) {
  for (const plot of root.querySelectorAll("[data-plot]")) {
    plot.tabIndex = 0;
    plot.setAttribute("role", "application");
    plot.setAttribute("aria-roledescription", "chart, the arrow keys go through its values");
  }
}

function follow(event) {
  const plot = event.target.closest?.("[data-plot]");
  if (!plot) {
    if (read && event.type === "pointermove" && read.plot !== document.activeElement) putAway();
    if (event.type === "pointerdown") putAway();
    return;
  }
  const spot = found(plot, event);
  if (spot) show(plot, spot);
  else if (event.pointerType === "mouse") putAway();
}

function found(plot, event) {
  const under = event.target.closest("[data-spot]");
  if (plot.dataset.plot === "cells" || under?.dataset.spot === "mark") return under;
  const places = spotsOf(plot).filter((spot) => spot.dataset.spot !== "mark");
  const byX = plot.dataset.plot === "columns";
  const frame = plot.querySelector("svg").getBoundingClientRect();
  let best = null, least = byX ? Infinity : REACH;
  for (const spot of places) {
    const at = pixels(spot, frame);
    const away = byX ? Math.abs(at.x - event.clientX) : Math.hypot(at.x - event.clientX, at.y - event.clientY);
    if (away < least) [best, least] = [spot, away];
  }
  return best;
}

// Where a spot is in the window: by its own percents, else the middle of its upper edge.
function pixels(spot, frame) {
  if (!spot.dataset.at) {
    const own = spot.getBoundingClientRect();
    return { x: own.left + own.width / 2, y: own.top };
  }
  const { x, y } = placeOf(spot);
  return { x: frame.left + (frame.width * x) / 100, y: frame.top + (frame.height * y) / 100 };
}

function go(event, plot) {
  const spots = spotsOf(plot);
  const here = read?.plot === plot ? read.spot : null;
  const next = {
    ArrowRight: () => ahead(plot, here, 1, 0),
    ArrowLeft: () => ahead(plot, here, -1, 0),
    ArrowDown: () => ahead(plot, here, 0, 1),
    ArrowUp: () => ahead(plot, here, 0, -1),
    Home: () => ordered(plot, spots)[0],
    End: () => ordered(plot, spots).at(-1),
  }[event.key];
  if (next && spots.length) {
    event.preventDefault();
    const spot = next() ?? here;
    show(plot, spot);
    plot.dispatchEvent(new CustomEvent("spot", { bubbles: true, detail: { spot, isWider: event.shiftKey } }));
  } else if (event.key === "Enter" && here) {
    const address = here.dataset.href ?? here.getAttribute("href");
    if (address) location.assign(address);
  }
}

// The nearest place in a direction; one beside the way counts as farther. A fresh reader begins
// with the newest, at the end.
function ahead(plot, here, right, down) {
  if (!here) return ordered(plot, spotsOf(plot)).at(-1);
  const frame = plot.querySelector("svg").getBoundingClientRect();
  const from = pixels(here, frame);
  const byX = plot.dataset.plot === "columns";
  let best = null, least = Infinity;
  for (const spot of spotsOf(plot)) {
    const at = pixels(spot, frame);
    const [dx, dy] = [at.x - from.x, byX ? 0 : at.y - from.y];
    const along = dx * right + dy * down;
    const aside = Math.abs(dx * down) + Math.abs(dy * right);
    const far = along + 3 * aside;
    if (spot !== here && along > 0.01 && far < least) [best, least] = [spot, far];
  }
  return best;
}

function ordered(plot, spots) {
  const frame = plot.querySelector("svg, table").getBoundingClientRect();
  return [...spots].sort((one, other) => pixels(one, frame).x - pixels(other, frame).x);
}

function show(plot, spot) {
  if (read?.spot === spot) return;
  putAway();
  read = { plot, spot };
  const frame = plot.querySelector("svg, table").getBoundingClientRect();
  const box = plot.getBoundingClientRect();
  const at = pixels(spot, frame);
  spot.classList.add("is-read");
  plot.classList.add("is-read");
  const hair = plot.querySelector(".hair");
  if (hair && spot.dataset.at) {
    const x = `${placeOf(spot).x}%`;
    hair.setAttribute("x1", x);
    hair.setAttribute("x2", x);
  }
  const tip = tipOf(plot);
  write(tip, saidOf(spot));
  tip.hidden = false;
  const left = at.x - box.left + plot.scrollLeft;
  const top = at.y - box.top;
  if (spot.dataset.at && spot.dataset.spot !== "mark") ringAt(plot, left, top);
  const widest = plot.scrollLeft + box.width - tip.offsetWidth;
  const beside = left + 14 + tip.offsetWidth > plot.scrollLeft + box.width ? left - 14 - tip.offsetWidth : left + 14;
  tip.style.left = `${Math.max(plot.scrollLeft, Math.min(beside, widest))}px`;
  const above = top - tip.offsetHeight - 10;
  tip.style.top = `${box.top + above < 4 ? top + 26 : above}px`;
}

function putAway() {
  if (!read) return;
  const { plot, spot } = read;
  read = null;
  spot.classList.remove("is-read");
  plot.classList.remove("is-read");
  for (const drawn of plot.querySelectorAll(".tip, .reading")) drawn.hidden = true;
}

// Once read by us a title is ours, or the browser would show it beside the tip.
function saidOf(spot) {
  const title = spot.querySelector(":scope > title");
  if (title) {
    spot.dataset.said = title.textContent;
    title.remove();
  } else if (spot.title) {
    spot.dataset.said = spot.title;
    spot.removeAttribute("title");
  }
  return spot.dataset.said ?? "";
}

function tipOf(plot) {
  const tip = plot.querySelector(":scope > .tip") ?? document.createElement("div");
  if (!tip.parentNode) {
    tip.className = "tip";
    tip.setAttribute("role", "status");
    plot.append(tip);
  }
  return tip;
}

function ringAt(plot, left, top) {
  const ring = plot.querySelector(":scope > .reading") ?? document.createElement("span");
  ring.className = "reading";
  ring.hidden = false;
  ring.style.left = `${left}px`;
  ring.style.top = `${top}px`;
  plot.append(ring);
}

function write(tip, said) {
  const [heading, ...rest] = said.split("\n");
  const strong = document.createElement("b");
  strong.textContent = heading;
  tip.replaceChildren(strong, rest.length ? `\n${rest.join("\n")}` : "");
}

// What was read stays read when a part of the page is renewed: by its place among the others.
function reading() {
  if (!read) return null;
  const figure = read.plot.closest("[id]");
  return { id: figure?.id, number: spotsOf(read.plot).indexOf(read.spot), from: spotsOf(read.plot).length };
}

function readAgain(kept) {
  const plot = kept && document.getElementById(kept.id)?.querySelector("[data-plot]");
  if (!plot) return;
  const spots = spotsOf(plot);
  const spot = spots[kept.number === kept.from - 1 ? spots.length - 1 : kept.number];
  read = null;
  if (spot) show(plot, spot);
}
