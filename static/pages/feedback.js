// What htmx can't say: that no answer came to a report, or that it would be one on an older answer.
(() => {
"use strict";
const form = document.getElementById("report"), told = document.getElementById("told");
form?.addEventListener("htmx:error", () => { told.textContent = told.dataset.lost; });
addEventListener("submit", (event) => {
  if (event.target !== form) return;
  told.replaceChildren();
  if (!document.getElementById("answer")?.dataset.state) return;
  event.preventDefault();
  event.stopPropagation();
  told.textContent = told.dataset.old;
}, true);
addEventListener("htmx:after:swap", () => {
  if (told?.textContent === told?.dataset.old) told?.replaceChildren();
});
})();
