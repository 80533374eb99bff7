// Sets the theme that somebody chose, before anything is painted: loaded in the head, not as a module.
(() => {
  const root = document.documentElement;
  let chosen = null;
  try {
    chosen = localStorage.getItem("unrot:theme");
  } catch {
    // No storage: as the system has it.
  }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
})();
