// What htmx can't do: dim the old answer at the first key, hold errors back, speak once, tell faults.
(() => {
  "use strict";
  if (!window.htmx) return; // the form posts by itself
  document.documentElement.dataset.live = "";
  const $ = (id) => document.getElementById(id);
  const form = $("form"), answer = $("answer"), alertBox = $("alert");
  const fields = [...form.querySelectorAll(".field")];
  const state = () => new URLSearchParams(new FormData(form)).toString();
  const refresh = () => form.dispatchEvent(new Event("input", { bubbles: true }));
  let resting, retrying, retried, last;

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
    $("announcer").textContent = "";
    $("result").setAttribute("aria-busy", "true");
  }
  function settled() {
    delete answer.dataset.state;
    if (alertBox.contains(document.activeElement)) (last ?? form.elements[0]).focus();
    alertBox.replaceChildren();
    retried = false;
    fields.forEach(show);
    clearTimeout(resting);
    resting = setTimeout(() => {
      $("announcer").textContent = $("result").dataset.announce;
    }, 1000);
  }
  function failed(words, status = 500) {
    if (!retried && status >= 500) {
      retried = true;
      retrying = setTimeout(refresh, 600);
      return;
    }
    answer.dataset.state = "failed";
    $("result").removeAttribute("aria-busy");
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
    if (event.isTrusted) {
      retried = false;
      last = event.target;
    }
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
    if (!answer.dataset.state) show(field);
  });

  const answers = ({ response }) => response.status === 200 || response.status === 422;
  on("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    if (!answers(ctx)) return;
    if (`${ctx.request.body}` !== state()) {
      event.preventDefault(); // too old
      refresh();
    } else if (!ctx.text.includes('id="result"')) {
      event.preventDefault(); // cut short
      failed("The answer was cut short. What you typed is kept.");
    }
  });
  on("htmx:after:swap", (event) => answers(event.detail.ctx) && settled());
  on("htmx:response:error", (event) => {
    const { text, response } = event.detail.ctx;
    if (response.status === 422) return;
    const fault = new DOMParser().parseFromString(text, "text/html").getElementById("error");
    const words = fault && [...fault.children].map((part) => part.textContent).join(". ");
    failed(words || "The server could not answer.", response.status);
  });
  on("htmx:error", () => failed("No answer came. Check your connection; what you typed is kept."));

  // A link into the page moves the focus and adds no step to the history.
  on("click", (event) => {
    const target = $(event.target.closest('a[href^="#"]')?.hash.slice(1));
    if (!target) return;
    event.preventDefault();
    const part = target.closest("details");
    if (part) part.open = true;
    target.focus();
  });
  on("click", (event) => {
    const link = event.target;
    if (link.id !== "share" || !navigator.clipboard || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    navigator.clipboard.writeText(link).then(
      () => { $("announcer").textContent = link.textContent = "Link copied"; },
      () => { location = link; });
  });

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
