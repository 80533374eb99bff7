// Before anything is painted: the theme that somebody chose, and that there are scripts, so that what
// needs them (data-scripted) has its place from the first moment. Loaded in the head, not as a module.
(() => {
  const root = document.documentElement;
  root.dataset.scripts = "";
  let chosen = null;
  try {
    chosen = localStorage.getItem("unrot:theme");
  } catch {
    // No storage: as the system has it.
  }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
})();
