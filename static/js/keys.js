// Presses the button with data-key="y ArrowRight" when one of these keys is pressed anywhere but
// in a field, and puts the cursor into a field with data-autofocus once it is there.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const isTyping = event.target.closest("input, textarea, select");
  if (isTyping && event.key !== "Escape") return;
  const button = document.querySelector(`[data-key~="${CSS.escape(event.key)}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
});

new MutationObserver(() => {
  const field = document.querySelector("[data-autofocus]");
  field?.removeAttribute("data-autofocus");
  field?.focus();
}).observe(document.body, { childList: true, subtree: true });
