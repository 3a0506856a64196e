// What htmx can't say: that no answer came to a report.
(() => {
"use strict";
const form = document.getElementById("report"), told = document.getElementById("told");
form?.addEventListener("htmx:error", () => { told.textContent = told.dataset.lost; });
form?.addEventListener("submit", () => { told.replaceChildren(); });
})();
