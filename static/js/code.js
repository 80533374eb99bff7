// Writes the values of the form anew as code, once they stand still: <div data-code="address">.

const STILL = 400;
let waiting = 0;
let latest = 0;

for (const kind of ["input", "change", "swapped"]) {
  document.addEventListener(kind, (event) => {
    if (!event.target.closest('[data-region="try"]')) return;
    clearTimeout(waiting);
    waiting = setTimeout(write, STILL);
  });
}

async function write() {
  const region = document.querySelector("[data-code]");
  const form = document.querySelector("form[data-remember]");
  if (!region || !form) return;
  const number = ++latest;
  try {
    const answer = await fetch(region.dataset.code, {
      method: "POST",
      headers: { "X-Fragment": "1" },
      body: new URLSearchParams(new FormData(form)),
    });
    if (number !== latest || answer.headers.get("X-Fragment") !== "1") return;
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const code of parsed.querySelectorAll("code[id]")) {
      document.getElementById(code.id).textContent = code.textContent;
    }
  } catch {
    // Without a connection the code keeps the values that it had.
  }
}
