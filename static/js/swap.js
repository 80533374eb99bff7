// Sends a form with data-swap="name" in the background and puts the answer, a part of the page,
// into the element with data-region="name" around it. Without this file the form loads a page.

document.addEventListener("submit", (event) => {
  const form = event.target;
  const name = form.getAttribute("data-swap");
  const region = name && form.closest(`[data-region="${name}"]`);
  if (!region) return;
  event.preventDefault();
  if (region.getAttribute("aria-busy") !== "true") send(form, event.submitter, region);
});

async function send(form, submitter, region) {
  region.setAttribute("aria-busy", "true");
  try {
    // Not form.action: a field of that name would stand in its place.
    const answer = await fetch(form.getAttribute("action"), {
      method: "POST",
      headers: { "X-Fragment": "1" },
      body: fieldsOf(form, submitter),
    });
    if (answer.headers.get("X-Fragment") !== "1") throw new Error(`status ${answer.status}`);
    put(region, await answer.text());
  } catch {
    showProblem(region);
  } finally {
    region.removeAttribute("aria-busy");
  }
  lead(region);
}

function put(region, html) {
  const opened = new Map([...region.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
  region.dispatchEvent(new CustomEvent("swapping", { bubbles: true }));
  region.innerHTML = html;
  for (const one of region.querySelectorAll("details[id]")) {
    if (opened.has(one.id)) one.open = opened.get(one.id) || one.querySelector(".wrong") !== null;
  }
  region.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
}

function fieldsOf(form, submitter) {
  const fields = new URLSearchParams(new FormData(form));
  if (submitter?.name) fields.append(submitter.name, submitter.value);
  return fields;
}

function showProblem(region) {
  for (const shown of region.querySelectorAll("[data-shown-problem]")) shown.remove();
  const problem = document.querySelector("template[data-problem]").content.firstElementChild;
  const copy = problem.cloneNode(true);
  copy.dataset.shownProblem = "";
  region.prepend(copy);
}

// data-focus says where in the window its element belongs; what is well in sight is let be.
function lead(region) {
  const target = region.querySelector("[data-focus]");
  if (!target) return;
  target.focus({ preventScroll: true });
  const { top } = target.getBoundingClientRect();
  if (top < 0 || top > innerHeight / 2) {
    target.scrollIntoView({ block: target.dataset.focus || "nearest" });
  }
}
