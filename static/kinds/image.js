// Draws the chosen picture beside its field.
(() => {
  "use strict";
  const file = document.querySelector("#form [type=file]"), preview = document.getElementById("preview");
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
  file.addEventListener("change", draw);
  file.form.addEventListener("reset", () => setTimeout(draw));
})();
