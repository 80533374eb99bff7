// Keeps what was sent last, for as long as the tab is open: <form data-remember="model">. Whoever
// comes back to a fresh form (data-fresh) finds it filled in so; data-forget starts anew.

const key = (model) => `unrot:last:${model}`;

document.addEventListener("submit", (event) => {
  const model = event.target.getAttribute("data-remember");
  if (model) keep(key(model), JSON.stringify(fieldsOf(event.target)));
}, true);

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-forget]");
  if (link) keep(key(link.dataset.forget), null);
});

for (const form of document.querySelectorAll("form[data-remember][data-fresh]")) fill(form);

function fieldsOf(form) {
  const fields = form.querySelectorAll(".field input, .field select");
  return Object.fromEntries([...fields].map((field) => [field.name, field.value]));
}

function fill(form) {
  const sent = remembered(key(form.getAttribute("data-remember")));
  if (!sent) return;
  let changed = 0;
  for (const field of form.querySelectorAll(".field input, .field select")) {
    if (Object.hasOwn(sent, field.name)) changed += put(field, sent[field.name]);
  }
  form.querySelector("[data-remembered]").hidden = !changed;
}

function put(field, value) {
  const before = field.value;
  field.value = value;
  // A choice that is not offered, or text in a field of numbers: the example stays.
  if (field.value !== value) field.value = before;
  return field.value !== before;
}

function keep(name, text) {
  try {
    if (text === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, text);
  } catch {
    // No storage, or a full one: the form works without.
  }
}

function remembered(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null;
  }
}
