// What a text needs: it grows, counts what is left, rests longer before it asks, and Ctrl + Enter sends it.
(() => {
  "use strict";
  const form = document.getElementById("form");
  const areas = [...form.querySelectorAll("textarea")];
  const rest = 800; // milliseconds
  let typed = -rest, waiting;

  function measure(area) {
    const left = area.dataset.most - [...area.value].length;
    const note = document.getElementById(`${area.id}-left`); // whose text a translator may wrap
    const noun = Math.abs(left) === 1 ? "character" : "characters";
    note.firstElementChild.textContent = `${Math.abs(left)} ${noun} ${left < 0 ? "too many" : "left"}.`;
    note.toggleAttribute("data-over", left < 0);
    if (CSS.supports("field-sizing", "content")) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  }

  document.addEventListener("input", ({ target }) => {
    if (!areas.includes(target)) return;
    typed = performance.now();
    measure(target);
  });
  document.addEventListener("ask", (event) => {
    const pause = typed + rest - performance.now();
    clearTimeout(waiting);
    if (pause <= 0 || !areas.includes(document.activeElement)) return;
    event.stopPropagation();
    waiting = setTimeout(() => form.dispatchEvent(new Event("ask")), pause);
  }, true);
  document.addEventListener("submit", () => clearTimeout(waiting), true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    if (event.isComposing || !areas.includes(event.target)) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector(".main"));
  });
  areas.forEach(measure);
  document.documentElement.dataset.text = ""; // shows which keys it knows
})();
