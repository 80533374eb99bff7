// Sends a form with data-upload in the background and shows how far it is in data-upload-state.
// A CSV that comes back becomes a link to save it; anything else is the region's new content.
// Without this file the form loads a page or saves the file by itself.

const QUOTE = 34, NEWLINE = 10;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-upload")) return;
  event.preventDefault();
  const region = form.closest("[data-region]");
  if (region.getAttribute("aria-busy") !== "true") send(form, region);
});

async function send(form, region) {
  const state = form.querySelector("[data-upload-state]");
  const fields = new FormData(form);
  const bar = showBar(state);
  region.setAttribute("aria-busy", "true");
  try {
    const expected = await rowsOf(fields.get("file"));
    const answer = await exchange(form.getAttribute("action"), fields, bar, expected);
    if (answer.rows) showFile(state, answer);
    else region.innerHTML = answer.text;
  } catch {
    const problem = document.querySelector("template[data-problem]").content.cloneNode(true);
    state.replaceChildren(problem);
  } finally {
    region.removeAttribute("aria-busy");
  }
  const target = region.querySelector("[data-focus]");
  target?.focus({ preventScroll: true });
  target?.scrollIntoView({ block: "nearest" });
}

function exchange(address, fields, bar, expected) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let rows = null;
    request.open("POST", address);
    request.setRequestHeader("X-Fragment", "1");
    request.upload.onprogress = (event) => bar(event.loaded / event.total / 2, "Sending the file");
    request.upload.onload = () => bar(0.5, "The file has arrived");
    request.onprogress = () => {
      const delimiter = request.getResponseHeader("X-Delimiter");
      if (!delimiter) return;
      rows ??= new RowCount(Number(delimiter));
      rows.read(request.responseText);
      bar(0.5 + rows.rows / (expected || 1) / 2, `${counted(rows.rows)} answered`);
    };
    request.onerror = request.onabort = reject;
    request.onload = () => {
      request.onprogress();
      const isPart = request.getResponseHeader("X-Fragment") === "1";
      if (!rows && !isPart) return reject();
      resolve({ rows, text: request.responseText, name: nameOf(request) });
    };
    request.send(fields);
  });
}

// Counts the rows of a CSV as it arrives. The last column of a good row is empty.
class RowCount {
  constructor(delimiter) {
    Object.assign(this, { delimiter, rows: -1, bad: 0, place: 0, isQuoted: false });
  }

  read(text) {
    for (; this.place < text.length; this.place++) {
      const code = text.charCodeAt(this.place);
      if (code === QUOTE) this.isQuoted = !this.isQuoted;
      else if (code === NEWLINE && !this.isQuoted) this.end(text.charCodeAt(this.place - 2));
    }
  }

  end(last) {
    this.rows++;
    if (this.rows && last !== this.delimiter) this.bad++;
  }
}

async function rowsOf(file) {
  let lines = 0;
  const reader = file.stream().getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    for (const byte of part.value) if (byte === NEWLINE) lines++;
  }
  return lines - 1;
}

function nameOf(request) {
  const given = request.getResponseHeader("Content-Disposition") || "";
  const encoded = given.match(/filename\*=UTF-8''([^;]+)/i);
  if (encoded) return decodeURIComponent(encoded[1]);
  return given.match(/filename="?([^";]+)/)?.[1] || "predicted.csv";
}

function counted(rows) {
  return `${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"}`;
}

function showBar(state) {
  const words = document.createElement("p");
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", "How far it is");
  words.setAttribute("aria-hidden", "true");
  state.replaceChildren(words, bar);
  return (share, said) => {
    bar.value = Math.min(share, 1);
    words.textContent = said;
  };
}

function showFile(state, { rows, text, name }) {
  const link = document.createElement("a");
  link.className = "button";
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.dataset.focus = "";
  link.textContent = `Save ${name}`;
  const words = document.createElement("p");
  const good = counted(rows.rows - rows.bad);
  const bad = rows.bad.toLocaleString("en");
  words.textContent = `${good} predicted` +
    (rows.bad ? `, ${bad} without an answer: the last column says why.` : ".");
  state.replaceChildren(words, link);
}
