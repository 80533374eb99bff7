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
    region.innerHTML = await answer.text();
  } catch {
    showProblem(region);
  } finally {
    region.removeAttribute("aria-busy");
  }
  lead(region);
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

function lead(region) {
  const target = region.querySelector("[data-focus]");
  target?.focus({ preventScroll: true });
  target?.scrollIntoView({ block: "nearest" });
}
