// What htmx can't say: that no answer came to a report, or that it would be one on an older answer.
(() => {
"use strict";
const form = document.getElementById("report"), told = document.getElementById("told");
let refused;
form?.addEventListener("htmx:error", () => { told.textContent = told.dataset.lost; });
addEventListener("submit", (event) => {
  if (event.target !== form) return;
  told.replaceChildren();
  if (!document.getElementById("answer")?.dataset.state) return;
  event.preventDefault();
  event.stopPropagation();
  told.textContent = told.dataset.old;
}, true);
// A refusal is about the answer that was there; the number of what is kept stays.
addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target === told) refused = ctx.response.status > 299;
  else if (refused || told?.textContent === told?.dataset.old) told?.replaceChildren();
});
})();
