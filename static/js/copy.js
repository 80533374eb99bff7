// Copies the text of an element: <button data-copy="#its-id">. The button says for a moment that it did.

document.documentElement.dataset.scripts = "";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const words = (button.dataset.words ??= button.textContent);
  try {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(document.querySelector(button.dataset.copy));
    button.textContent = "Selected: copy it with your keys";
  }
  setTimeout(() => { button.textContent = words; }, 2000);
});
