// Keeps a page up to date. <main data-news="address" data-every="5"> asks there what is new, every
// few seconds; 304 says nothing. Else the page is fetched, at most every 5 seconds, the parts
// (data-part) whose word (data-word) has changed are swapped, and what is new is said. Focus, folds
// and scroll stay; a part in which somebody types, selects or presses waits. A job that goes on is
// fetched from its data-live every second. Nothing is asked while the page is hidden, and less and
// less while the server is away.

const JOB = 1000, NEWS = 3000, LONGEST = 60000;
const SAY = 5000, SAID = 20000; // milliseconds between two sayings, and until one goes by itself

const page = document.querySelector("[data-news]");
let news = null, tag = "", isStale = false, isFresh = false;
let failed = 0, timer = 0, asking = null;
let toSay = [], verdicts = 0, saying = 0, gone = 0; // what is to be said, and the timers of it

document.addEventListener("input", (event) => {
  const part = event.target.closest("[data-part]");
  if (part) part.dataset.typed = "yes";
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-sends]")) event.target.form.requestSubmit();
});

// A link from a chart into its own page changes its parts, and loads no page.
document.addEventListener("click", async (event) => {
  const link = page && event.target.closest?.(".heat a[href], .closer a[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const address = new URL(link.getAttribute("href"), location.href);
  rest();
  history.replaceState(null, "", address);
  await renew(null).catch(() => location.reload());
  document.querySelector(address.hash || "main")?.scrollIntoView({ block: "nearest" });
  wait();
});

const jobs = () => [...document.querySelectorAll("[data-live]")];
const partsOf = (root) => [...root.querySelectorAll("[data-part]")];

const toast = document.createElement("div");
if (page) {
  toast.className = "toast";
  toast.innerHTML = '<p role="status"></p><button class="link" type="button">Dismiss</button>';
  toast.lastChild.addEventListener("click", () => say(""));
  page.append(toast);
}

if (page || jobs().length) {
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : look()));
  if (!document.hidden) page ? look() : wait();
}

function rest() {
  clearTimeout(timer);
  asking?.abort();
}

function wait() {
  clearTimeout(timer);
  if (document.hidden || !(page || jobs().length)) return;
  timer = setTimeout(look, Math.min((jobs().length ? JOB : NEWS) * 2 ** failed, LONGEST));
}

async function look() {
  rest();
  const mine = (asking = new AbortController());
  try {
    await Promise.all([...jobs().map((job) => follow(job, mine.signal)), page && ask(mine.signal)]);
    failed = 0;
  } catch {
    // The server is away, or somebody was signed out: the next try comes later.
    if (!mine.signal.aborted) failed++;
  }
  if (asking === mine) wait();
}

async function get(address, signal, headers) {
  const answer = await fetch(address, { headers, signal, cache: "no-store" });
  if (answer.status !== 304 && (!answer.ok || answer.redirected)) throw new Error(answer.status);
  return answer;
}

async function read(answer) {
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function ask(signal) {
  const answer = await get(page.dataset.news, signal, tag ? { "If-None-Match": tag } : {});
  if (answer.status === 200) {
    const before = news;
    tag = answer.headers.get("ETag");
    news = await answer.json();
    isStale ||= before !== null;
    if (before?.sees === news.sees) tell(before);
  }
  if (isStale && !isFresh) await renew(signal);
}

async function renew(signal) {
  isFresh = true;
  setTimeout(() => (isFresh = false), 1000 * Number(page.dataset.every));
  const words = partsOf(page).map((part) => part.dataset.word).join(" ");
  const answer = await get(location.href.split("#")[0], signal, { Accept: "text/html", "X-Parts": words });
  const parts = partsOf(await read(answer));
  const here = partsOf(page);
  isStale = false;
  // The store went away, or came back: it is another page.
  if (parts.map((part) => part.id).join() !== here.map((part) => part.id).join()) {
    isStale = here.some(isBusy);
    return isStale || location.reload();
  }
  parts.forEach((part, at) => {
    if (part.dataset.word === here[at].dataset.word) return;
    if (isBusy(here[at])) isStale ||= !here[at].dataset.typed;
    else replace(here[at], document.adoptNode(part));
  });
}

function isBusy(part) {
  const selected = getSelection();
  const isMarked = !selected.isCollapsed && selected.containsNode(part, true);
  return isMarked || part.dataset.typed || part.querySelector(":active, :is(input, select, textarea):focus");
}

function replace(old, part) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const path = focused && pathTo(focused, old);
  const opened = new Map(foldsOf(old).map((fold) => [fold.name, fold.open]));
  const scrolled = [...old.querySelectorAll(".scroll")].map((one) => [one.scrollLeft, one.scrollTop]);
  old.dispatchEvent(new CustomEvent("swapping", { bubbles: true }));
  old.replaceWith(part);
  for (const { name, fold } of foldsOf(part)) if (opened.has(name)) fold.open = opened.get(name);
  part.querySelectorAll(".scroll").forEach((one, at) => one.scrollTo(...(scrolled[at] ?? [0, 0])));
  part.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
  const same = [...part.querySelectorAll("a")].find((link) => link.href === focused?.href);
  if (focused) (same || path.reduce((at, number) => at?.children[number], part))?.focus({ preventScroll: true });
}

function foldsOf(part) {
  return [...part.querySelectorAll("details")].map((fold, at) => ({ name: fold.id || at, open: fold.open, fold }));
}

function pathTo(element, root) {
  const path = [];
  for (let at = element; at !== root; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
  return path;
}

async function follow(job, signal) {
  const fresh = (await read(await get(job.dataset.live, signal, { "X-Fragment": "1" }))).body.firstElementChild;
  // How it ended stays to be read.
  if (!fresh.dataset.live) job.closest("[data-part]")?.setAttribute("data-typed", "yes");
  if (!isBusy(job)) replace(job, document.adoptNode(fresh));
}

function tell(before) {
  for (const [name, [said]] of Object.entries(news.facts)) if (!(name in before.facts)) toSay.push(said);
  for (const [name, [, over]] of Object.entries(before.facts)) if (!(name in news.facts)) toSay.push(over);
  if (news.verdicts !== null) verdicts += Math.max(0, news.verdicts - (before.verdicts ?? news.verdicts));
  sayNext();
}

function sayNext() {
  const more = verdicts ? [`${verdicts} more ${verdicts === 1 ? "verdict" : "verdicts"}.`] : [];
  const all = [...toSay.filter(Boolean), ...more];
  if (saying || !all.length) return;
  [toSay, verdicts] = [[], 0];
  say(all.slice(0, 3).join(" ") + (all.length > 3 ? ` And ${all.length - 3} more.` : ""));
  saying = setTimeout(() => { saying = 0; sayNext(); }, SAY);
}

function say(text) {
  clearTimeout(gone);
  toast.firstChild.textContent = text;
  if (text) gone = setTimeout(say, SAID, "");
}
