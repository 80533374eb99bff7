// Copies the text of the element that data-copy="#id" names, and says so on the button.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  const words = (button.dataset.words ??= button.textContent);
  button.setAttribute("aria-live", "polite");
  button.textContent = (await copy(source)) ? "Copied" : "Press Ctrl+C";
  setTimeout(() => { button.textContent = words; }, 2000);
});

// Browsers give the clipboard to pages over HTTPS and of this machine alone: elsewhere the text is
// selected, so that a key copies it.
async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}
