// Renews a page by itself: <div data-refresh="5" data-from="address"> asks every 5 seconds for its
// content, and puts in place the parts (data-part) whose word (data-word) has changed. What has not
// changed is answered with 304. Focus, open details, what was typed and the chart value that is
// read stay. While the page is hidden nothing is asked at all; it catches up when it is seen again.
// A link into the same page with data-into loads its parts without loading the page.

import { readAgain, reading } from "./charts.js";

document.documentElement.dataset.scripts = "";

const page = document.querySelector("[data-refresh]");
const every = 1000 * Number(page.dataset.refresh);
let etag = "", timer = 0, asking = null;

if (every) {
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : renew()));
  wait();
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-sends]")) event.target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".heat a[href], .closer a[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  visit(new URL(link.getAttribute("href"), location.href));
});

async function visit(address) {
  history.replaceState(null, "", address);
  page.dataset.from = address.pathname + address.search;
  etag = "";
  await renew();
  document.querySelector(address.hash)?.scrollIntoView({ block: "nearest" });
}

function wait() {
  clearTimeout(timer);
  if (every && !document.hidden) timer = setTimeout(renew, every);
}

function rest() {
  clearTimeout(timer);
  asking?.abort();
}

async function renew() {
  clearTimeout(timer);
  asking?.abort();
  const mine = (asking = new AbortController());
  const words = partsOf(page).map((part) => part.dataset.word).join(" ");
  try {
    const headers = { "X-Fragment": "1", "X-Parts": words, ...(etag && { "If-None-Match": etag }) };
    const answer = await fetch(page.dataset.from, { headers, signal: mine.signal, cache: "no-store" });
    if (answer.status === 200 && answer.headers.get("X-Fragment") === "1") {
      put(await answer.text());
      etag = answer.headers.get("ETag") ?? "";
    }
  } catch {
    // The server is away for a moment, or somebody left: the next time is another try.
  }
  if (asking === mine) wait();
}

function put(html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const parts = partsOf(fresh.content);
  const here = partsOf(page);
  if (parts.map((part) => part.id).join() !== here.map((part) => part.id).join()) {
    // The store went away, or came back: what was kept back is fetched as well.
    if (parts.some((part) => !part.children.length)) return location.reload();
    page.replaceChildren(fresh.content);
    page.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
    return;
  }
  parts.forEach((part, number) => {
    if (part.dataset.word !== here[number].dataset.word) replace(here[number], part);
  });
}

function partsOf(root) {
  return [...root.querySelectorAll("[data-part]")];
}

function replace(old, part) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  if (focused?.matches("input, select, textarea")) return;
  const path = focused && pathTo(focused, old);
  const read = reading();
  const opened = new Map([...old.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
  const scrolled = new Map([...old.querySelectorAll(".scroll")].map((one, at) => [at, one.scrollTop]));
  old.replaceWith(part);
  for (const one of part.querySelectorAll("details[id]")) if (opened.has(one.id)) one.open = opened.get(one.id);
  part.querySelectorAll(".scroll").forEach((one, at) => (one.scrollTop = scrolled.get(at) ?? 0));
  part.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
  if (path) path.reduce((at, number) => at?.children[number], part)?.focus({ preventScroll: true });
  if (read?.id && part.querySelector(`#${CSS.escape(read.id)}`)) readAgain(read);
}

// Where an element is within a part: its place among the children of each that holds it.
function pathTo(element, root) {
  const path = [];
  for (let at = element; at !== root; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
  return path;
}
