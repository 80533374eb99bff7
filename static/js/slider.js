// A slider is another handle of the field that it names: <input type="range" data-slides="id">.

document.addEventListener("input", ({ target }) => {
  if (target.matches("[data-slides]")) {
    const field = document.getElementById(target.dataset.slides);
    field.value = target.value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  } else if (target.id) {
    follow(target);
  }
});

// Whatever else fills the fields: what was sent last, or a part of the page that was swapped.
addEventListener("pageshow", followAll);
document.addEventListener("swapped", followAll);
followAll();

function followAll() {
  for (const slider of document.querySelectorAll("[data-slides]")) {
    follow(document.getElementById(slider.dataset.slides));
  }
}

function follow(field) {
  const slider = document.querySelector(`[data-slides="${field.id}"]`);
  if (!slider) return;
  const value = Number.parseFloat(field.value.replace(",", "."));
  slider.classList.toggle("empty", Number.isNaN(value));
  if (!Number.isNaN(value)) slider.value = value;
}
