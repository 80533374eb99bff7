// Sends the form of "What if?" (data-what-if) in the background as soon as something in it moves,
// and puts what comes back into [data-answer]. The curve is of the feature that moved last. The
// answer in a few words stands above the sliders, where it is seen, and read out, while they move.

const PAUSE = 200;
const form = document.querySelector("form[data-what-if]");
const place = document.querySelector("[data-answer]");
const now = document.querySelector("[data-now]");
let timer, running, isStale = false;

form.addEventListener("input", ({ target }) => {
  const field = target.dataset.slides ? document.getElementById(target.dataset.slides) : target;
  const option = [...form.elements.feature.options].find((one) => one.value === field.name);
  if (option && field !== form.elements.feature) option.selected = true;
  clearTimeout(timer);
  timer = setTimeout(send, PAUSE);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  send();
});

// One at a time: what moved in the meantime is asked for when the answer is there.
async function send() {
  if (running) return void (isStale = true);
  running = true;
  try {
    const answer = await fetch(form.getAttribute("action").split("#")[0], {
      method: "POST",
      headers: { "X-Fragment": "1" },
      body: new URLSearchParams(new FormData(form)),
    });
    if (answer.headers.get("X-Fragment") !== "1") throw new Error(`status ${answer.status}`);
    put(await answer.text());
    if (answer.status === 429) await new Promise((go) => setTimeout(go, 1000 * wait(answer)));
  } catch {
    now.textContent = document.querySelector("template[data-problem]").content.textContent.trim();
  } finally {
    running = false;
    if (isStale) {
      isStale = false;
      send();
    }
  }
}

function wait(answer) {
  return Math.min(10, Number(answer.headers.get("Retry-After")) || 1);
}

function put(html) {
  const opened = [...place.querySelectorAll("details[open][id]")].map((one) => one.id);
  place.dispatchEvent(new CustomEvent("swapping", { bubbles: true }));
  place.innerHTML = html;
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  place.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
  const said = place.querySelector("[data-said]");
  now.textContent = said ? said.dataset.said : place.textContent.trim().replace(/\s+/g, " ").slice(0, 200);
}
