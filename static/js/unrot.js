// Unrot in a page of your own:  const unrot = new Unrot("iris");
//   const made = await unrot.predict({ … });   unrot.thumbs(document.querySelector("#thumbs"), made);
(() => {
  const home = new URL(document.currentScript.src).origin;

  class Unrot {
    constructor(model, url = home) {
      this.model = encodeURIComponent(model);
      this.url = url.replace(/\/$/, "") + "/api/v1";
    }

    // One row, or a list of rows; a key is your own name for the row.
    async predict(inputs, { key, keys, version } = {}) {
      const pinned = version ? "/versions/" + encodeURIComponent(version) : "";
      const made = await this.send("POST", `/models/${this.model}${pinned}/predict`, { inputs, key, keys });
      return made.predictions ?? made;
    }

    // `true`, `false`, or { label: "what it really was", comment: "…" }.
    judge(prediction, verdict) {
      const said = typeof verdict === "boolean" ? { was_correct: verdict } : verdict;
      return this.send("POST", "/feedback", { id: prediction.id ?? prediction, ...said });
    }

    withdraw(prediction) {
      return this.send("DELETE", "/feedback/" + (prediction.id ?? prediction));
    }

    // Puts two thumbs into an element, and says there what became of a verdict.
    thumbs(element, prediction) {
      const said = document.createElement("span");
      said.setAttribute("role", "status");
      const buttons = [["👍", "Right", true], ["👎", "Wrong", false]].map(([sign, name, verdict]) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = sign;
        button.setAttribute("aria-label", name);
        button.setAttribute("aria-pressed", "false");
        button.onclick = async () => {
          try {
            await this.judge(prediction, verdict);
            for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
            said.textContent = " Thank you.";
          } catch (problem) {
            said.textContent = " " + problem.message;
          }
        };
        return button;
      });
      element.replaceChildren(...buttons, said);
    }

    async send(method, path, body) {
      const answer = await fetch(this.url + path, {
        method,
        credentials: "omit",
        headers: { "Content-Type": "application/json" },
        body: body && JSON.stringify(body),
      });
      const told = await answer.json().catch(() => ({}));
      if (answer.ok) return told.data;
      throw Object.assign(new Error(told.message ?? "HTTP " + answer.status), told);
    }
  }

  window.Unrot = Unrot;
})();
