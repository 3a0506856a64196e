// Takes a picture that is dropped, pasted or photographed, and draws it beside its field.
(() => {
  "use strict";
  const [file, camera, preview] = document.querySelectorAll("#form :is([type=file], canvas)");
  const draw = async () => {
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
  };
  const take = (event) => {
    const data = event.dataTransfer ?? event.clipboardData ?? camera, [first] = data.files;
    if (!first && !data.types?.includes("Files")) return;
    if (event.clipboardData && event.target.matches("textarea")) return; // copied tables have a picture
    event.preventDefault();
    if (!first) return; // it is still dragged
    const one = new DataTransfer();
    one.items.add(first);
    file.files = one.files;
    camera.value = "";
    file.dispatchEvent(new Event("change", { bubbles: true }));
  };
  file.onchange = draw;
  camera.onchange = take;
  ondragover = ondrop = take;
  addEventListener("paste", take);
  document.documentElement.dataset.drop = ""; // says so
  addEventListener("reset", () => setTimeout(draw));
  onpageshow = draw; // browsers keep a file on a reload or on the way back
})();
