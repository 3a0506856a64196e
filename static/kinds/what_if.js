// The slider below the curve sets its field, and the curve waits until the pointer lets go of it.
(() => {
  "use strict";
  const root = document.documentElement, on = (names, listener) =>
    names.split(" ").forEach((name) => document.addEventListener(name, listener, true));
  let held, kept; // the slider under the pointer, and whether an answer came meanwhile

  function set({ value, dataset }) {
    const input = document.getElementById(dataset.sets);
    if (input.type === "date") input.valueAsNumber = value * 864e5;
    else input.value = value.replace(".", dataset.point);
    input.dispatchEvent(new Event("change", { bubbles: true })); // no key
    return input.value;
  }

  // Some send only a change: voice input, extensions.
  on("input change", ({ target }) => {
    if (target.dataset?.sets) target.setAttribute("aria-valuetext", set(target));
  });
  on("pointerdown", ({ target }) => { held = target.dataset?.sets && target; });
  on("pointerup pointercancel", () => {
    held = null;
    if (kept) document.getElementById("form").dispatchEvent(new Event("ask"));
    kept = false;
  });
  on("htmx:before:swap", (event) => {
    kept = held;
    if (held) event.preventDefault();
  });

  root.dataset.slider = ""; // shows it
  // What a phone's keyboard covers, where the browser does not make the page smaller for it.
  const view = window.visualViewport;
  view?.addEventListener("resize", () => root.style.setProperty(
    "--keyboard", `${Math.max(0, innerHeight - view.height * view.scale)}px`));
})();
