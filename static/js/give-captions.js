// A captions file that is dropped on a video's page is put into its form.

import { onDrop } from "./drop.js";

const fold = document.getElementById("give-captions");

onDrop((files) => {
  const file = files.find((each) => /\.(srt|vtt|json)$/i.test(each.name));
  fold.open = true;
  const form = fold.querySelector("form");
  if (!file) return form.elements.captions.focus();
  const transfer = new DataTransfer();
  transfer.items.add(file);
  form.elements.captions.files = transfer.files;
  form.requestSubmit();
});
