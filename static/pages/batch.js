// Shows the answers to a file in place, as they come. The chosen file stays chosen for a download.
(() => {
  "use strict";
  const form = document.getElementById("form"), answer = document.getElementById("answer");
  const announcer = document.getElementById("announcer"), end = "<!-- end -->";
  const first = answer.innerHTML, input = form.elements.file;
  let running, sent, readable; // the file of the answers, and one that was found readable
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
  // A browser sends no file that was saved or moved since it was chosen: Firefox waits for ever, and
  // reads another number of bytes. What is too large for the server is tried at its end.
  const isReadable = (file) => {
    const part = file?.size > 1e8 ? file.slice(-1) : file;
    return Promise.resolve(part?.arrayBuffer()).then((bytes) => bytes?.byteLength === part?.size, () => false);
  };
  // Answers stand beside the file that they are the answers to. Who chooses the same one again, which
  // has other rows by now, cancels for a browser.
  ["change", "cancel"].forEach((name) => form.addEventListener(name, () => {
    if (sent && sent === input.files[0]) return;
    running?.abort();
    answer.innerHTML = first;
    announcer.textContent = "";
    answer.setAttribute("aria-busy", "false");
  }));
  form.addEventListener("submit", async (event) => {
    const { submitter } = event, [file] = input.files;
    if (submitter?.hasAttribute("formaction")) {
      if (!file || file === readable) return;
      event.preventDefault(); // or an error of the browser takes the place of this page
      if (!await isReadable(file)) return say(answer.dataset.changed);
      readable = file;
      form.requestSubmit(submitter);
      readable = null;
      return;
    }
    event.preventDefault();
    running?.abort();
    sent = file;
    const { signal } = running = new AbortController();
    answer.setAttribute("aria-busy", "true");
    answer.replaceChildren(document.getElementById("sending").content.cloneNode(true));
    answer.scrollIntoView({ block: "nearest" });
    try {
      if (!await isReadable(file)) throw file;
      await show(signal);
    } catch {
      const words = await isReadable(file) ? "lost" : "changed";
      if (!signal.aborted) say(answer.dataset[words]);
    }
    if (!signal.aborted) answer.setAttribute("aria-busy", "false");
  });
})();
