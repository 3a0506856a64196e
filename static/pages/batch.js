// Shows the answers to a file in place, as they come. The chosen file stays chosen for a download.
(() => {
  "use strict";
  const form = document.getElementById("form"), answer = document.getElementById("answer");
  const announcer = document.getElementById("announcer"), end = "<!-- end -->";
  const first = answer.innerHTML;
  let running;
  // The file stays chosen, so that a button beside the answers can send it again.
  document.documentElement.dataset.live = "";
  const say = (text) => {
    const words = document.createElement("p");
    words.className = "error";
    words.setAttribute("role", "alert");
    words.textContent = text;
    answer.replaceChildren(words);
  };
  const show = async (signal) => {
    const response = await fetch(form.dataset.summary, { method: "POST", body: new FormData(form), signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "", piece = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const pieces = (text + value).split(end);
      text = pieces.pop();
      if (pieces.length) answer.innerHTML = piece = pieces.pop();
    }
    if (!response.ok && !piece) {
      const refusal = new DOMParser().parseFromString(text, "text/html").querySelector("section#result, section#error");
      if (!refusal) return say(answer.dataset.down);
      answer.replaceChildren(refusal);
    } else if (!answer.querySelector("section#result")) return say(answer.dataset.cut);
    announcer.textContent = answer.querySelector("[data-announce]")?.dataset.announce || answer.textContent;
  };
  // Answers stand beside the file that they are the answers to.
  form.addEventListener("change", () => {
    running?.abort();
    answer.innerHTML = first;
    answer.setAttribute("aria-busy", "false");
  });
  form.addEventListener("submit", async (event) => {
    if (event.submitter?.hasAttribute("formaction")) return;
    event.preventDefault();
    running?.abort();
    const { signal } = running = new AbortController();
    answer.setAttribute("aria-busy", "true");
    answer.replaceChildren(document.getElementById("sending").content.cloneNode(true));
    answer.scrollIntoView({ block: "nearest" });
    try {
      await show(signal);
    } catch {
      // A browser sends no file that was saved since it was chosen.
      const readable = form.elements.file.files[0]?.slice(0, 1).text();
      const words = await Promise.resolve(readable).then(() => "lost", () => "changed");
      if (!signal.aborted) say(answer.dataset[words]);
    }
    if (!signal.aborted) answer.setAttribute("aria-busy", "false");
  });
})();
