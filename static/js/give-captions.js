// A captions file that is dropped on a video's page is put into its form.

const fold = document.getElementById("give-captions");
const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  document.body.classList.remove("dropping");
  const file = [...event.dataTransfer.files].find((each) => /\.(srt|vtt|json)$/i.test(each.name));
  fold.open = true;
  const form = fold.querySelector("form");
  if (!file) return form.elements.captions.focus();
  const transfer = new DataTransfer();
  transfer.items.add(file);
  form.elements.captions.files = transfer.files;
  form.requestSubmit();
});
