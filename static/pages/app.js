// What htmx can't do: dim the old answer at the first key, delay errors, announce once, report
// failures, preview a chosen file.
(() => {
  "use strict";
  if (!window.htmx) return; // the form posts by itself
  document.documentElement.dataset.live = "";
  const $ = (id) => document.getElementById(id);
  const form = $("form"), answer = $("answer"), alertBox = $("alert");
  const fields = [...form.querySelectorAll(".field")];
  const file = form.querySelector("[type=file]"), preview = $("preview");
  const kept = file ? "Your picture is still chosen." : "What you typed is kept.";
  const spell = (data) => `${new URLSearchParams([...data].map(([name, value]) =>
    [name, value instanceof File ? value.size && value.name + value.size + value.lastModified : value]))}`;
  const refresh = () => form.dispatchEvent(new Event("input", { bubbles: true }));
  let timer, retried, last;

  function show(field) {
    const error = field.querySelector(".error");
    const hint = field.querySelector(".hint");
    const read = error.matches(".reading"); // how the text was read, and no error
    const wrong = "left" in field.dataset && !read && error.textContent.trim() !== "";
    const set = (name, value) => field.querySelectorAll("input, select").forEach((control) =>
      value ? control.setAttribute(name, value) : control.removeAttribute(name));
    field.toggleAttribute("data-wrong", wrong);
    set("aria-invalid", wrong && "true");
    set("aria-describedby", [hint?.id, (wrong || read) && error.id].filter(Boolean).join(" "));
  }
  function pending() {
    clearTimeout(timer);
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
    timer = setTimeout(() => {
      $("announcer").textContent = $("result").dataset.announce;
    }, 1000);
  }
  // One quiet retry where it may help, if no key comes first; then the alert.
  function failed(words, again = true, wait = 0) {
    if (again && !retried && wait <= 5) {
      retried = true;
      timer = setTimeout(refresh, wait * 1000 + Math.random() * 700);
      return;
    }
    answer.dataset.state = "failed";
    $("result").removeAttribute("aria-busy");
    alertBox.innerHTML = '<p></p><button form="form">Try again</button>';
    alertBox.firstChild.textContent = words;
  }
  async function drawPreview() {
    const [chosen] = file.files;
    preview.hidden = true;
    try {
      const picture = await createImageBitmap(chosen, { resizeWidth: 240 });
      if (chosen !== file.files[0]) return;
      preview.width = picture.width;
      preview.height = picture.height;
      preview.getContext("2d").drawImage(picture, 0, 0);
      preview.hidden = false;
    } catch {
      // no file, or not one that the browser can show; the answer has the error
    }
  }
  // A date that is typed in part counts as empty to the browser; the server shall call it wrong.
  form.addEventListener("formdata", ({ formData }) => [...form.elements].forEach(
    ({ name, validity }) => validity.badInput && formData.set(name, "incomplete")));
  const on = (name, listener) => document.addEventListener(name, listener, true);

  on("input", (event) => {
    if (![event.target, event.target.form].includes(form)) return; // it changes no answer
    form.dispatchEvent(new Event("htmx:abort"));
    if (event.isTrusted) {
      retried = false;
      last = event.target;
    }
    if (file) {
      file.closest(".field").dataset.left = ""; // a choice is complete, as a key is not
      drawPreview();
    } else event.target.closest(".field:not([data-wrong])")?.removeAttribute("data-left");
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

  const answers = ({ response }) => [200, 422].includes(response.status);
  on("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    if (!answers(ctx)) return;
    const old = spell(ctx.request.body) !== spell(new FormData(form));
    const whole = fields.every(({ dataset }) => ctx.text.includes(`"${dataset.field}-error"`));
    if (!old && whole) return;
    event.preventDefault();
    if (old) refresh();
    else failed(`The answer was cut short. ${kept}`);
  });
  on("htmx:after:swap", (event) => answers(event.detail.ctx) && settled());
  on("htmx:response:error", (event) => {
    const { text, response: { status, headers } } = event.detail.ctx;
    if (status === 422) return;
    const fault = new DOMParser().parseFromString(text, "text/html").getElementById("error");
    const words = fault && [...fault.children].map((part) => part.textContent).join(". ");
    failed(words || `The server could not answer. ${kept}`, [502, 503, 504].includes(status),
      +headers.get("Retry-After"));
  });
  on("htmx:error", ({ detail }) => failed(
    `No answer came. Check your connection. ${kept}`, detail.error !== "timeout"));

  // A link into the page moves the focus and adds no step to the history.
  on("click", (event) => {
    const target = $(event.target.closest('a[href^="#"]')?.hash.slice(1));
    if (!target) return;
    event.preventDefault();
    target.closest("details")?.setAttribute("open", "");
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

  // What the text of a field means: the button sets the field, which then shows it.
  on("click", (event) => {
    const button = event.target.closest('[name="_read_as"]');
    if (!button) return;
    event.preventDefault();
    const [name, value] = button.value.split("=");
    Object.assign($(name), { value }).focus();
    $(name).dispatchEvent(new Event("input", { bubbles: true }));
  });

  addEventListener("pageshow", (event) => {
    const changed = [...form.elements].some(({ options, value, defaultValue }) => options
      ? value !== ([...options].find((option) => option.defaultSelected) ?? options[0]).value
      : value !== (defaultValue ?? value));
    if (event.persisted ? answer.dataset.state : changed) refresh();
  });
  fields.forEach((field) => {
    if (field.querySelector(".error").textContent.trim()) field.dataset.left = "";
    show(field);
  });
})();
