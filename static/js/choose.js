// One box that ticks all boxes of a list, and shows when only some of them are ticked.

const all = document.getElementById("choose-all");
const boxes = () => [...document.querySelectorAll("#changes [name=row]")];

all?.addEventListener("change", () => {
  for (const box of boxes()) box.checked = all.checked;
});
document.addEventListener("change", (event) => {
  if (event.target.name === "row") show();
});

function show() {
  if (!all) return;
  const ticked = boxes().filter((box) => box.checked).length;
  all.checked = ticked > 0 && ticked === boxes().length;
  all.indeterminate = ticked > 0 && !all.checked;
}
addEventListener("pageshow", show); // after a refusal, and on a page that comes back
