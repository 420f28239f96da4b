// Underlines the words that the engine was not sure of: data-w="12+6,40+5" of a line says where
// they begin in its text and how long they are. Painted by the CSS Custom Highlight API, which
// changes no element, when there is nothing else to do; in words they are said where one points.

import { later } from "./lines.js";
import { paint, paints, span } from "./painted.js";
import { textOf } from "./seek.js";

const script = document.getElementById("script");
const unsure = paints && new Highlight();
let waits = false;

const placesOf = (row) => row.dataset.w.split(",").map((place) => place.split("+").map(Number));

function paintAll() {
  waits = false;
  unsure.clear();
  for (const row of script.querySelectorAll("#rows li[data-w]")) {
    const node = textOf(row);
    for (const [at, length] of placesOf(row)) {
      if (at + length > node?.length) continue;
      unsure.add(span(node, at, at + length));
    }
  }
  paint("unsure", unsure);
}

function soon() {
  if (!waits) later(paintAll);
  waits = true;
}

if (paints) {
  unsure.priority = -1; // what was found lies over it
  new MutationObserver((records) => {
    if (records.some(({ target }) => !target.closest("#rows li"))) soon();
  }).observe(script, { childList: true, subtree: true });
  soon();
}

// For a pointer as the tooltip of the text, for who reads by ear as the description of the link.
function explain(event) {
  const row = event.target.closest?.("#rows li[data-w]:not([data-said])");
  const text = row && textOf(row);
  if (!text) return;
  const words = placesOf(row).map(([at, length]) => text.data.slice(at, at + length));
  const sentence = `The engine was not sure of: ${words.join(", ")}`;
  row.dataset.said = "";
  text.parentElement.title = sentence;
  row.firstElementChild.setAttribute("aria-description", sentence);
}
document.addEventListener("pointerover", explain, { passive: true });
document.addEventListener("focusin", explain);
