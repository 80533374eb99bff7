// Leaves empty fields of a form with data-lean out of the address that it leads to.

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-lean]");
  if (!form) return;
  const empty = [...form.elements].filter((field) => field.name && field.value === "");
  for (const field of empty) field.disabled = true;
  // Whoever comes back with the back button finds them as they were.
  setTimeout(() => empty.forEach((field) => (field.disabled = false)));
});
