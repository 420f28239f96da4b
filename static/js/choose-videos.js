// How many videos of the list are chosen; all of them at once; what is done with them.

const boxes = () => [...document.querySelectorAll(".video input[name=video][type=checkbox]")];

function count() {
  const all = document.getElementById("choose-all");
  if (!all) return;
  const number = boxes().filter((box) => box.checked).length;
  all.checked = number > 0 && number === boxes().length;
  all.indeterminate = number > 0 && !all.checked;
  document.getElementById("chosen").textContent = number ? `${number} chosen` : "None chosen";
  document.getElementById("many").classList.toggle("any", number > 0);
}

document.addEventListener("change", (event) => {
  if (event.target.id === "choose-all") for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches(".pick input")) count();
});
// The list is fetched anew when a video came: what was chosen stays chosen.
let chosen = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "listing") chosen = boxes().filter((box) => box.checked).map((box) => box.value);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const box of boxes()) box.checked ||= chosen.includes(box.value);
  chosen = [];
  count();
});
addEventListener("pageshow", count); // a page that comes back keeps its boxes

// --- deeds ---

// Enter means to tag where a tag is typed, and nothing on a box.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("#many input, .pick input")) return;
  event.preventDefault();
  if (event.target.name === "tag") document.querySelector("#many [value=tag]").click();
});
