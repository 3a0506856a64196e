// Tells the parent page the height of the form whenever it changes.
(() => {
  "use strict";
  if (parent === window) return;
  const root = document.documentElement;
  new ResizeObserver(() => {
    parent.postMessage({ formcastHeight: Math.ceil(root.getBoundingClientRect().height) }, "*");
  }).observe(root);
})();
