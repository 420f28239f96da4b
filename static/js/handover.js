// The menus "Copy as" and "Export": forms that mean the range which the page shows.

import { copy } from "./clipboard.js";
import { endOf, numberOf, startOf } from "./seek.js";
import { inWords } from "./typed.js";

const place = document.getElementById("handover");
const handed = document.getElementById("handed");
const menus = () => place.querySelectorAll("details[open]");

// --- which part is meant, looked up when a menu opens ---

place.addEventListener("toggle", (event) => {
  if (!event.target.open) return;
  handed.textContent = "";
  const form = event.target.querySelector("form");
  const range = new URLSearchParams(document.getElementById("transcript").dataset.query);
  for (const side of ["start", "end"]) form.elements[side].value = range.get(side) ?? "";
  form.querySelector("[data-part]").textContent = partOf(range);
  meanSearch(form, new URLSearchParams(location.search).get("q")?.trim());
  for (const label of form.querySelectorAll("[data-switch]")) {
    label.hidden = !range.has(label.dataset.switch);
    label.control.checked &&= !label.hidden;
  }
}, true); // toggle does not bubble

function partOf(range) {
  if (!range.has("start") && !range.has("end")) return "The whole transcript";
  const said = (side, open) => (range.has(side) ? inWords(Math.round(range.get(side) * 1000)) : open);
  return `${said("start", inWords(0))} to ${said("end", "the end")}`;
}

function meanSearch(form, query) {
  const label = form.querySelector("[data-matching]");
  label.hidden = !query;
  form.elements.q.checked &&= Boolean(query);
  form.elements.q.value = query ?? "";
  form.elements.case.disabled = new URLSearchParams(location.search).get("case") !== "1";
  label.querySelector("q").textContent = query ?? "";
}

// --- closing ---

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("#handover details")) for (const menu of menus()) menu.open = false;
});
place.addEventListener("keydown", (event) => {
  const menu = event.target.closest("details[open]");
  if (event.key !== "Escape" || !menu) return;
  event.stopPropagation(); // it closes this and nothing else
  menu.open = false;
  menu.querySelector("summary").focus();
});

// --- copying ---

place.addEventListener("submit", async (event) => {
  const menu = event.target.closest("details");
  menu.open = false;
  menu.querySelector("summary").focus();
  if (!event.target.matches("[data-copies]")) return;
  event.preventDefault();
  const button = event.submitter;
  const wanted = part(event.target);
  if (!wanted) {
    handed.textContent = "No line is at the playhead.";
    return;
  }
  const done = await copyFrom(`${button.formAction}?${new URLSearchParams(wanted)}`);
  handed.textContent = done === true ? `Copied: ${button.textContent}` : done;
});

// The range; or the line at the playhead alone, whoever speaks at the same time, and null when there
// is none.
function part(form) {
  const data = new FormData(form);
  if (!document.getElementById("copy-row").checked) return data;
  const row = document.querySelector("#rows li[aria-current]");
  if (!row) return null;
  for (const name of ["q", "doubt", "gaps"]) data.delete(name);
  data.set("start", startOf(row));
  data.set("end", endOf(row));
  data.set("line", numberOf(row));
  return data;
}

// True, or a sentence that says why not.
async function copyFrom(url) {
  try {
    return (await copy(fetchText(url))) || "This browser does not let the page copy.";
  } catch (error) {
    return error instanceof Refused ? error.message : "The server is not responding.";
  }
}

class Refused extends Error {}

async function fetchText(url) {
  const response = await fetch(url);
  if (response.redirected) throw new Refused("You were signed out. Reload the page and sign in.");
  const text = await response.text();
  if (!response.ok) throw new Refused(text.length < 200 ? text : "This cannot be copied.");
  return text;
}
