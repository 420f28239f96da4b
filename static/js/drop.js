// Files that are dropped anywhere on a page, instead of being opened by the browser.

const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");

// Tells the files of each drop.
export function onDrop(tell) {
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
    tell([...event.dataTransfer.files]);
  });
}
