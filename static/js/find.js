// Finds fields in a long form, or links to them, while one types: <input data-find="id of the groups">.
// A field that does not match is hidden, unless it is wrong; groups with matches open. The button with
// data-open-all opens and closes all of them. Shown by data-scripted: without this file it is no use.

let before = null;

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-find]")) find(event.target);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-open-all]");
  if (button) openAll(button);
});

// A part of the page was swapped: the search that stood in it goes on.
document.addEventListener("swapping", (event) => {
  const typed = event.target.querySelector("[data-find]")?.value;
  if (!typed) return;
  event.target.addEventListener("swapped", () => {
    const search = event.target.querySelector("[data-find]");
    if (!search) return;
    search.value = typed;
    find(search);
  }, { once: true });
});

function find(search) {
  const form = document.getElementById(search.dataset.find);
  const words = folded(search.value).split(/\s+/).filter(Boolean);
  const groups = [...form.querySelectorAll("details")];
  before ??= new Map(groups.map((group) => [group.id, group.open]));
  let found = 0;
  for (const group of groups) {
    let shown = 0;
    for (const field of group.querySelectorAll(".field")) {
      const matches = words.every((word) => wordsOf(field, group).includes(word));
      field.hidden = !matches && !field.classList.contains("wrong");
      found += matches;
      shown += !field.hidden;
    }
    group.hidden = shown === 0;
    group.open = words.length ? shown > 0 : before.get(group.id);
  }
  if (!words.length) before = null;
  say(search, words.length ? found : null, form.querySelectorAll(".field").length);
}

function wordsOf(field, group) {
  const name = field.querySelector("input, select")?.name ?? "";
  const help = field.querySelector(".help")?.textContent ?? "";
  const heading = group.querySelector("summary span").textContent;
  return folded(`${name} ${field.querySelector("label, a").textContent} ${help} ${heading}`);
}

function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function say(search, found, all) {
  const status = search.closest(".finder").querySelector("[data-found]");
  if (found === null) status.textContent = "";
  else if (found) status.textContent = `${found} of ${all} ${all === 1 ? "field" : "fields"} ${found === 1 ? "matches" : "match"}.`;
  else status.textContent = `None of ${all} ${all === 1 ? "field" : "fields"} matches. Try a part of its name.`;
}

function openAll(button) {
  const groups = [...document.getElementById(button.dataset.openAll).querySelectorAll("details")];
  const open = groups.some((group) => !group.open && !group.hidden);
  for (const group of groups) group.open = open;
  const words = button.dataset.otherWords;
  if (open === (words === "Close all")) {
    button.dataset.otherWords = button.textContent;
    button.textContent = words;
  }
}
