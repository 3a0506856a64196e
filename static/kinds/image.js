// What htmx can't do alone for a file: dim the old answer once another file is chosen, preview the
// file, announce the result once, report failures.
(() => {
  "use strict";
  if (!window.htmx) return; // the form posts by itself
  document.documentElement.dataset.live = "";
  const $ = (id) => document.getElementById(id);
  const form = $("form"), answer = $("answer"), alertBox = $("alert"), preview = $("preview");
  const field = form.querySelector(".field"), input = form.querySelector("[type=file]");
  const hint = field.querySelector(".hint");
  const refresh = () => form.dispatchEvent(new Event("change", { bubbles: true }));
  const on = (name, listener) => document.addEventListener(name, listener, true);
  const same = (a, b) => !a?.size && !b?.size ||
    a?.name === b?.name && a?.size === b?.size && a?.lastModified === b?.lastModified;
  let timer, retried;

  function showError() {
    const error = field.querySelector(".error"); // swapped with every answer
    const wrong = error.textContent.trim() !== "";
    field.toggleAttribute("data-wrong", wrong);
    if (wrong) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    input.setAttribute("aria-describedby", [hint?.id, wrong && error.id].filter(Boolean).join(" "));
  }
  function pending() {
    clearTimeout(timer);
    answer.dataset.state = "pending";
    $("result").setAttribute("aria-busy", "true");
  }
  function settled() {
    delete answer.dataset.state;
    alertBox.replaceChildren();
    retried = false;
    showError();
    timer = setTimeout(() => {
      $("announcer").textContent = $("result").dataset.announce;
    }, 1000);
  }
  // One quiet retry where it may help; then the alert.
  function failed(words, again = true, wait = 0) {
    if (again && !retried && wait <= 5) {
      retried = true;
      timer = setTimeout(refresh, wait * 1000 + 200 + Math.random() * 700);
      return;
    }
    answer.dataset.state = "failed";
    $("result").removeAttribute("aria-busy");
    alertBox.innerHTML = '<p></p><button form="form">Try again</button>';
    alertBox.firstChild.textContent = words;
  }
  async function drawPreview() {
    const file = input.files[0];
    preview.hidden = true;
    try {
      const picture = await createImageBitmap(file, { resizeWidth: 240 });
      if (file !== input.files[0]) return;
      preview.width = picture.width;
      preview.height = picture.height;
      preview.getContext("2d").drawImage(picture, 0, 0);
      preview.hidden = false;
    } catch {
      // no file, or not one that the browser can show; the answer has the error
    }
  }

  on("change", (event) => {
    if (event.target !== input && event.target !== form) return;
    form.dispatchEvent(new Event("htmx:abort"));
    if (event.target === input) {
      retried = false;
      drawPreview();
    }
    pending();
  });
  on("submit", pending);

  const answers = ({ response }) => [200, 422].includes(response.status);
  on("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    if (!answers(ctx)) return;
    const old = !same(ctx.request.body.get(input.name), input.files[0]);
    const whole = ctx.text.includes(`"${field.dataset.field}-error"`); // it comes last
    if (!old && whole) return;
    event.preventDefault();
    if (old) refresh();
    else failed("The answer did not arrive whole. Your picture is still chosen.");
  });
  on("htmx:after:swap", (event) => answers(event.detail.ctx) && settled());
  on("htmx:response:error", (event) => {
    const { text, response: { status, headers } } = event.detail.ctx;
    if (status === 422) return;
    const fault = new DOMParser().parseFromString(text, "text/html").getElementById("error");
    const words = fault && [...fault.children].map((part) => part.textContent).join(". ");
    failed(words || "The server could not answer. Your picture is still chosen.",
      [502, 503, 504].includes(status), +headers.get("Retry-After"));
  });
  on("htmx:error", ({ detail }) => failed(
    "No answer came. Check your connection; your picture is still chosen.",
    detail.error !== "timeout"));

  // A file that the browser brought back has no answer on the page yet.
  addEventListener("pageshow", (event) => {
    if (!input.files.length || (event.persisted && !answer.dataset.state)) return;
    drawPreview();
    refresh();
  });
  showError();
})();
