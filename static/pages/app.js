// What htmx can't do: hold the form against the form that was answered.
(() => {
"use strict";
if (!window.htmx) return; // the form posts by itself
const $ = (id) => document.getElementById(id);
const form = $("form"), answer = $("answer"), notice = $("alert"), words = notice.dataset;
const controls = [...form.querySelectorAll(".box > :first-child")];
let shown, asked, timer, tries, last, height, copying, composing; // the form as answered, and as sent

const find = (selector) => document.querySelector(selector),
  each = (action) => controls.forEach(action),
  list = () => [...new FormData(form)],
  spell = () => "" + new URLSearchParams(list().map(([name, value]) =>
    [name, value.name ? [value.name, value.size, value.lastModified] : value]));
const isTyped = (item) =>
  item.value !== (item.defaultValue ?? (item.querySelector("[selected]") ?? item[0]).value);
// A saved page has its attributes alone. Firefox would clear a date that is typed in part.
const writeThrough = (item) => item.options
  ? [...item].forEach((option) => { option.defaultSelected = option.selected; })
  : item.validity.badInput || (item.defaultValue = item.value);
// The address holds the whole form, or nothing of it where a server would take none so long.
const keepQuery = () => {
  const query = "?" + new URLSearchParams(
    list().filter(([name, value]) => name[0] !== "_" && value.trim?.()));
  history.replaceState(history.state, "", query.length > 3500 ? "?" : query);
};
// What is too large is not read, nor is its id.
const isReply = ({ text, response, id }) =>
    response.status === 413 || text.includes(` data-correlation-id="${id}"`),
  // The whole of our answer, and nothing around it.
  isWhole = (ctx) => isReply(ctx) && /^\s*<section id="result"[^]*>\s*$/.test(ctx.text) &&
    controls.every(({ id }) => ctx.text.includes(`"${id}-error"`)),
  focused = (selector) => document.activeElement?.closest(selector),
  say = (text) => $("announcer").textContent = text,
  stop = (event) => event.preventDefault(),
  tell = (link) => (text) => say(link.textContent = text),
  lost = "No link was copied",
  leave = (item) => item.closest(".field").dataset.left = "",
  place = () => find("#result .body");

function show(item) {
  const field = item.closest(".field"), error = field.querySelector(".error"),
    read = error.matches(".reading"), // how the text was read
    wrong = "left" in field.dataset && !read && !!error.textContent.trim();
  field.toggleAttribute("data-wrong", wrong);
  item.ariaInvalid = wrong || null;
  item.setAttribute("aria-describedby", [...field.querySelectorAll(
    `.hint, .left${wrong || read ? ", .error" : ""}`)].map(({ id }) => id).join(" "));
}
function mark(state) { // or what the server said
  const result = $("result"), { dataset } = result;
  document.title = !state && dataset.title || find("h1").textContent;
  dataset.said ??= dataset.state;
  dataset.state = answer.dataset.state = state || dataset.said;
  if (!state) delete answer.dataset.state;
  result.inert = state === "failed";
  result.ariaHidden = result.inert || null;
  result.ariaBusy = state === "pending";
}
function pending() {
  clearTimeout(timer);
  form.dispatchEvent(new Event("htmx:abort"));
  asked = ""; // it is aborted
  tries = 0;
  say("");
  mark("pending");
}
// What was said of a text is not true of another.
function forget() {
  each((item) => {
    const error = $(`${item.id}-error`);
    if (error.firstChild && isTyped(item)) {
      error.textContent = shown = ""; // the same text is asked about again
      error.className = "error";
      show(item);
    }
  });
}
function ask() {
  timer = setTimeout(forget, 400);
  form.dispatchEvent(new Event("ask"));
  keepQuery(); // last, for it may be refused
}
function compare(event) {
  const now = spell(), { dataset } = $("result"), { state } = answer.dataset;
  if (dataset.waiting && !focused(`#${dataset.waiting}`)) {
    delete dataset.waiting; // it was left
    shown = asked = "";
  }
  if (now === shown && state) {
    pending();
    rest();
    keepQuery();
  } else if (now !== shown && now !== asked) {
    pending();
    asked = now;
    notice.replaceChildren();
    timer = setTimeout(ask, focused(".field, [type=range]") ? 250 : 0);
  } else if (state && /^[opv]/.test(event?.type)) ask(); // it is back
}
function rest() {
  clearTimeout(timer); // a swap takes the focus from the slider, and half a form is like no other
  asked = shown; // what was taken back may be typed again
  mark();
  if (focused("#alert")) (last ?? controls[0]).focus();
  notice.replaceChildren();
  each((item) => { // an error while one types is for good
    if (item.value && (item.files || item.matches(":focus"))) leave(item);
    show(item);
  });
  timer = setTimeout(() => say($("result").dataset.announce), 1000);
  if (copying) copy();
}
// One quiet try, then the alert and further tries.
function failed(text, quiet = true, wait = 0, refused = "") {
  const silent = quiet && !tries && wait <= 5,
    pause = Math.max(wait, Math.min(2 ** tries++ / 2, 30) * (1 - Math.random() / 4));
  clearTimeout(timer);
  if (!refused) timer = setTimeout(ask, Math.min(pause, 2e6) * 1000); // beyond that it fires at once
  if (silent) return;
  if (copying) tell(copying)(lost);
  copying = null;
  forget();
  mark("failed");
  if (notice.firstChild?.textContent === text) return;
  notice.innerHTML = "<p></p>" + (refused || '<button form=form>Try again</button>');
  notice.firstChild.textContent = text;
}
function copy() {
  const link = $("share"), price = find(".price"); // another answer may come before it is copied
  copying = null;
  if (link) navigator.clipboard.writeText(link).then(
    () => "Link copied: " + price.textContent,
    () => lost).then(tell(link)); // Safari copies nothing long after a click
}

const on = (names, listener) =>
  names.split(" ").forEach((name) => addEventListener(name,
    (event) => event.target.id === "report" || listener(event), true)); // a form of its own
// A date typed in part counts as empty.
on("formdata", ({ formData }) => each(
  ({ name, validity }) => validity.badInput && formData.set(name, "-")));
on("input", ({ target }) => {
  target.closest(".field:not([data-wrong])")?.removeAttribute("data-left");
  // Who reloads the page at once loses no digit. Safari refuses what is kept too often.
  if (target.inputMode) keepQuery();
});
on("focusout", ({ target }) => {
  if (!controls.includes(target)) return;
  last = target;
  leave(target);
  if (!answer.dataset.state) show(target);
});
// Safari resets the form on the way back.
on("pagehide", () => {
  forget();
  each(writeThrough);
});
on("submit", () => {
  each(leave);
  pending();
  shown = ""; // or the same text, still waiting, would take this post back
});
on("input change focusout pageshow visibilitychange online beforeprint", compare);
on("reset", () => {
  pending(); // it is reset after this
  setTimeout(compare);
});
setInterval(compare, 1000); // for values set without an event
// What an input method still converts is not wrong yet.
on("compositionstart compositionend", ({ type }) => {
  composing = type === "compositionstart";
  asked = "";
  compare();
});

on("htmx:config:request", ({ detail: { ctx } }) => {
  const { body } = ctx.request;
  ctx.spelled = asked = spell();
  body.set("_correlation_id", ctx.id = Math.random());
  if (ctx.sourceEvent.type === "ask" && focused("#form"))
    body.set("_typing", document.activeElement.name);
});
on("htmx:before:swap", (event) => {
  const { ctx } = event.detail, same = ctx.spelled === spell();
  if (composing && ctx.text.includes('"withdrawn"')) return stop(event);
  height = place().offsetHeight;
  if (ctx.swap === "none" || (same && isWhole(ctx))) return;
  stop(event);
  if (!same) compare();
  else if (ctx.response.status !== 413) failed(!ctx.text.trim() || isReply(ctx) ? words.cut : words.foreign);
});
on("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.swap === "none") return;
  shown = spell();
  if ($("result").dataset.state !== "fresh") place().style.minHeight = `${height}px`;
  each(writeThrough);
  rest();
  compare();
});
on("htmx:response:error", ({ detail: { ctx } }) => {
  const { status, headers } = ctx.response;
  if (status === 422 || isWhole(ctx)) return;
  const fault = new DOMParser().parseFromString(ctx.text, "text/html").querySelector("section#error"),
    text = fault?.textContent.trim().replace("\n", ". ") ?? words.down,
    // Twice, for an older server may still run.
    refused = status === 409 && tries ? '<a href>Reload</a>' : status === 413 && " ";
  failed(text, status === 409 || status > 501, +headers.get("Retry-After") || 0, refused);
  if (!refused) return;
  document.querySelectorAll("#result :is(p, ul, svg, .body)").forEach((part) => part.replaceChildren());
  asked = spell();
  shown = "";
});
on("htmx:error", ({ detail }) => failed(words.lost, detail.error !== "timeout"));

on("click", (event) => {
  const link = event.target.closest("a"), target = link?.hash && $(link.hash.slice(1)),
    button = event.target.closest("[name=_read_as]");
  if (button) {
    stop(event); // what was meant is set in the field, which then shows it
    const [name, value] = button.value.split("=");
    Object.assign($(name), { value }).focus();
    compare();
  }
  if (!link) return;
  compare();
  if (shown !== asked) keepQuery(); // for the way back
  if (target) {
    stop(event); // no step in the history
    target.closest("details")?.setAttribute("open", "");
    target.focus();
  } else if (link.id === "share" && navigator.clipboard && !event.ctrlKey && !event.metaKey) {
    stop(event);
    copying = link;
    answer.dataset.state ? tell(link)("Copying the next answer…") : copy();
  }
});
each((item) => {
  if (item.ariaInvalid) leave(item);
  show(item);
});
shown = asked = controls.some(isTyped) ? "" : spell();
document.documentElement.dataset.live = "";
form.removeAttribute("data-hx-ignore"); // live from here on
htmx.process(form);
compare();
})();
