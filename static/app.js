// What htmx can't do alone: dim the old answer at the first key, hold errors back until a field was
// left, say the result once, tell when no answer comes.
(() => {
  "use strict";
  if (!window.htmx) return; // the form then posts as it does without script
  const $ = (id) => document.getElementById(id);
  const form = $("form"), answer = $("answer"), alertBox = $("alert");
  const fields = [...form.querySelectorAll(".field")];
  const state = () => new URLSearchParams(new FormData(form)).toString();
  const refresh = () => form.dispatchEvent(new Event("input", { bubbles: true }));
  let resting, retrying, retried;

  // An error that is not shown must not be read out either.
  function show(field) {
    const error = field.querySelector(".error");
    const hint = field.querySelector(".hint");
    const wrong = "left" in field.dataset && error.textContent.trim() !== "";
    const set = (name, value) => field.querySelectorAll("input, select").forEach((control) =>
      value ? control.setAttribute(name, value) : control.removeAttribute(name));
    field.toggleAttribute("data-wrong", wrong);
    set("aria-invalid", wrong && "true");
    set("aria-describedby", [hint?.id, wrong && error.id].filter(Boolean).join(" "));
  }
  function pending() {
    answer.dataset.state = "pending";
    $("result").setAttribute("aria-busy", "true");
  }
  function settled() {
    delete answer.dataset.state;
    alertBox.replaceChildren();
    retried = false;
    fields.forEach(show);
    clearTimeout(resting);
    resting = setTimeout(() => {
      $("announcer").textContent = $("result").dataset.announce;
    }, 1000);
  }
  // One quiet retry, then the alert.
  function failed(words, status = 500) {
    if (!retried && status >= 500) {
      retried = true;
      retrying = setTimeout(refresh, 600);
      return;
    }
    answer.dataset.state = "failed";
    const text = document.createElement("p");
    text.textContent = words;
    const button = document.createElement("button");
    button.setAttribute("form", "form");
    button.textContent = "Try again";
    alertBox.replaceChildren(text, button);
  }
  const on = (name, listener) => document.addEventListener(name, listener, true);

  on("input", (event) => {
    form.dispatchEvent(new Event("htmx:abort"));
    clearTimeout(retrying);
    clearTimeout(resting);
    if (event.isTrusted) retried = false;
    const field = event.target.closest(".field:not([data-wrong])");
    if (field) delete field.dataset.left;
    pending();
  });
  on("submit", () => {
    fields.forEach((field) => { field.dataset.left = ""; });
    pending();
  });
  on("focusout", (event) => {
    const field = event.target.closest(".field");
    if (!field) return;
    field.dataset.left = "";
    show(field);
  });

  const answers = ({ response }) => response.status === 200 || response.status === 422;
  on("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    if (!answers(ctx)) return;
    if (ctx.request.body.toString() !== state()) {
      event.preventDefault(); // an older keystroke's
      refresh();
    } else if (!ctx.text.includes('id="result"')) {
      event.preventDefault(); // cut short on the way
      failed("The answer did not arrive whole. What you typed is kept.");
    }
  });
  on("htmx:after:swap", (event) => answers(event.detail.ctx) && settled());
  on("htmx:response:error", (event) => {
    const { text, response } = event.detail.ctx;
    if (response.status === 422) return;
    const fault = new DOMParser().parseFromString(text, "text/html").getElementById("error");
    const words = fault && [...fault.children].map((part) => part.textContent).join(". ");
    failed(words || "The server could not answer. What you typed is kept.", response.status);
  });
  on("htmx:error", () => failed("No answer came. Check your connection; what you typed is kept."));

  // A link to a field opens the part of the form that it is in.
  document.addEventListener("click", (event) => {
    const field = $(event.target.closest('a[href^="#"]')?.hash.slice(1));
    if (!form.contains(field)) return;
    event.preventDefault();
    const part = field.closest("details");
    if (part) part.open = true;
    field.focus();
  });
  on("click", (event) => {
    if (event.target.id !== "share" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const link = event.target;
    navigator.clipboard.writeText(link).then(
      () => { link.textContent = "Link copied"; }, () => { location = link; });
  });

  // A page that the browser brought back may show other values than were answered.
  addEventListener("pageshow", (event) => {
    const changed = [...form.elements].some(({ options, type, value, defaultValue }) => options
      ? value !== ([...options].find((option) => option.defaultSelected) ?? options[0]).value
      : type === "text" && value !== defaultValue);
    if (event.persisted ? answer.dataset.state : changed) refresh();
  });
  fields.forEach((field) => {
    if (field.querySelector(".error").textContent.trim()) field.dataset.left = "";
    show(field);
  });
})();
