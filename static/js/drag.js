// Lets a rectangle be dragged over a plot with data-drags="box", or a stretch across one with
// data-drags="across" where data-zooms is around it. The plot tells "dragging" while it grows and
// "dragged" at the end, with detail.box in percent; a click beside, or a drag that the browser took
// for scrolling, has none.

let begun = null; // { plot, x, y, box }: where the pointer went down, in percent

document.addEventListener("pointerdown", (event) => {
  const plot = event.target.closest?.('[data-drags="box"], [data-zooms] [data-drags="across"]');
  begun = plot && event.button === 0 ? { plot, ...percents(plot, event) } : null;
});

document.addEventListener("pointermove", (event) => {
  if (!begun || !event.buttons) return;
  const { plot } = begun;
  const at = percents(plot, event);
  if (!("brushing" in plot.dataset) && Math.hypot(at.x - begun.x, at.y - begun.y) < 2) return;
  plot.dataset.brushing = "";
  begun.box = between(begun, at);
  if (plot.dataset.drags === "across") Object.assign(begun.box, { top: 0, bottom: 100 });
  tell(plot, "dragging", begun.box);
});

document.addEventListener("pointerup", () => end());
document.addEventListener("pointercancel", () => end(begun?.plot.dataset.drags === "across"));

function end(isGivenUp = false) {
  if (!begun) return;
  const { plot, box } = begun;
  begun = null;
  tell(plot, "dragged", (!isGivenUp && box) || null);
  // The click that follows belongs to the rectangle.
  setTimeout(() => delete plot.dataset.brushing);
}

function tell(plot, what, box) {
  plot.dispatchEvent(new CustomEvent(what, { bubbles: true, detail: { box } }));
}

function percents(plot, event) {
  const frame = plot.querySelector("svg").getBoundingClientRect();
  const within = (value) => Math.max(0, Math.min(100, value));
  return {
    x: within((100 * (event.clientX - frame.left)) / frame.width),
    y: within((100 * (event.clientY - frame.top)) / frame.height),
  };
}

export function between(one, other) {
  return {
    left: Math.min(one.x, other.x),
    top: Math.min(one.y, other.y),
    right: Math.max(one.x, other.x),
    bottom: Math.max(one.y, other.y),
  };
}

export function draw(plot, box) {
  const svg = plot.querySelector("svg");
  const rect = svg.querySelector(":scope > .brushed") ?? document.createElementNS(svg.namespaceURI, "rect");
  if (!box) return rect.remove();
  rect.setAttribute("class", "brushed");
  const places = { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top };
  for (const [side, value] of Object.entries(places)) rect.setAttribute(side, `${value}%`);
  svg.append(rect);
}
