// Tells the page around the frame how high the form is, whenever that changes.
(() => {
  "use strict";
  if (parent === window) return;
  const root = document.documentElement;
  new ResizeObserver(() => {
    parent.postMessage({ formcastHeight: Math.ceil(root.getBoundingClientRect().height) }, "*");
  }).observe(root);
})();
