// What the frame of each page does: times in the reader's zone (UTC when one points at them), the
// choice of a theme, and the tab of this page in sight on a phone.

const root = document.documentElement;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const isAway = !["UTC", "Etc/UTC", "GMT", "Etc/GMT"].includes(zone);

document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const theme = document.querySelector("[data-theme-choice]");
theme.value = root.dataset.theme ?? "";
theme.addEventListener("change", () => {
  if (theme.value) root.dataset.theme = theme.value;
  else delete root.dataset.theme;
  try {
    if (theme.value) localStorage.setItem("unrot:theme", theme.value);
    else localStorage.removeItem("unrot:theme");
  } catch {
    // No storage: it holds for this page.
  }
});

if (isAway) {
  document.querySelector("[data-zone]").textContent =
    `Times are in your zone, ${zone.replaceAll("_", " ")}; point at one for UTC. Where UTC stands beside a time, it is UTC.`;
  tell(document.body);
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1) tell(node);
  }).observe(document.body, { childList: true, subtree: true });
}

function tell(within) {
  const times = within.matches("time[datetime]") ? [within] : within.querySelectorAll("time[datetime]");
  for (const time of times) {
    const said = time.textContent.trim();
    if (!/^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/.test(said)) continue;
    time.title = said;
    time.textContent = local(new Date(time.dateTime));
  }
}

function local(at) {
  const two = (value) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
