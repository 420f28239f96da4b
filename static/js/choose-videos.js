// How many videos of the list are chosen; all of them at once; what is done with them.

import { isComposing } from "./composing.js";
import { keep, kept } from "./kept.js";

const picked = () => boxes().filter((box) => box.checked).map((box) => box.value);
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

function choose(ids) {
  for (const box of boxes()) box.checked ||= ids.includes(box.value);
  count();
}

document.addEventListener("change", (event) => {
  if (event.target.id === "choose-all") for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches(".pick input")) count();
});
// The list is fetched anew when a video came: what was chosen stays chosen.
let chosen = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "listing") chosen = picked();
});
document.addEventListener("htmx:afterSwap", () => {
  choose(chosen);
  chosen = [];
});
addEventListener("pageshow", count); // a page that comes back keeps its boxes

// --- deeds ---

// Enter means to tag where a tag is typed, and nothing on a box.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || isComposing(event) || !event.target.matches("#many input, .pick input")) return;
  event.preventDefault();
  if (event.target.name === "tag") document.querySelector("#many [value=tag]").click();
});

// What a deed needs besides videos: it is asked for here, before the page is left.
const NEEDED = {
  move: ["index", "Choose the index to move them to."],
  tag: ["tag", "Write the tag to add."],
  export: ["format", "Choose the format to export them in."],
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("#many [name=do]");
  if (!button) return;
  for (const field of button.form.elements) field.setCustomValidity("");
  const [name, sentence] = NEEDED[button.value] ?? [];
  const field = button.form.elements[name];
  if (field && !field.value.trim()) field.setCustomValidity(sentence);
});

// What was chosen when the server refused it is chosen on the page that says so.
document.addEventListener("submit", (event) => {
  if (event.target.id === "many") keep("chosen", JSON.stringify(picked()), "sessionStorage");
});
addEventListener("load", () => {
  const before = JSON.parse(kept("chosen", "sessionStorage") ?? "[]");
  keep("chosen", "[]", "sessionStorage");
  if (document.querySelector(".messages .error")) choose(before);
});
