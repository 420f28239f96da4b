// Keeps the range, or a line, while the video plays on.

import { focusedRow, tabbedRow } from "./meant.js";
import { endOf, startOf } from "./seek.js";

const player = document.getElementById("player");

const form = () => document.getElementById("keep"); // not there for who may only read

document.addEventListener("desk:command", (event) => {
  if (event.detail.name === "keep-select" && form() && fill()) form().requestSubmit();
});
// An empty form keeps what the key would keep; what was typed is kept as typed.
document.addEventListener("click", (event) => {
  if (event.target.id === "keep-button" && !form().elements.start.value) fill();
});

document.addEventListener("click", (event) => {
  const tool = event.target.closest("[data-row=keep]");
  if (tool && fill(span(tool.closest("li")))) form().requestSubmit();
});

// The line that somebody went to by Tab; else the range; else the line that has the focus of the
// keyboard, or the one at the playhead.
function fill([start, end] = tabbed() ?? range() ?? line() ?? []) {
  if (start === undefined) return false;
  form().elements.start.value = start;
  form().elements.end.value = end;
  return true;
}

// Both sides must be there: an open range is the whole rest of the video.
function range() {
  const query = new URLSearchParams(document.getElementById("transcript").dataset.query);
  return query.has("start") && query.has("end") ? [query.get("start"), query.get("end")] : null;
}

const span = (row) => [startOf(row), endOf(row)];

function tabbed() {
  const row = tabbedRow();
  return row ? span(row) : null;
}

function line() {
  const row = focusedRow() ?? document.querySelector("#rows li[aria-current]") ?? spoken();
  return row ? span(row) : null;
}

// Before the first play no line is marked: the one at the playhead, or the first after it.
function spoken() {
  const rows = [...document.querySelectorAll("#rows li")];
  return rows.find((row) => endOf(row) > player.currentTime);
}

// The form follows the range of the page; what was typed into it stays.
const isTyped = (field) => field.value !== field.defaultValue;

function follow() {
  const sides = form() ? [form().elements.start, form().elements.end] : [];
  if (sides.some(isTyped) || document.querySelector("#selects [role=alert]")) return;
  const query = new URLSearchParams(document.getElementById("transcript").dataset.query);
  for (const side of sides) side.value = side.defaultValue = query.get(side.name) ?? "";
}
new MutationObserver(follow).observe(document.getElementById("script"), { childList: true });

// The strip draws what is kept.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "selects") return;
  tell();
  const changed = event.detail.requestConfig?.elt.closest(".kept li")?.id;
  if (changed) document.getElementById(changed)?.querySelector("summary").focus({ preventScroll: true });
  follow();
});

function tell() {
  const kept = document.querySelectorAll("#selects .kept li");
  const ranges = [...kept].map(({ dataset }) => [Number(dataset.start), Number(dataset.end), dataset.colour]);
  document.dispatchEvent(new CustomEvent("desk:selects", { detail: { ranges } }));
}

addEventListener("load", tell); // every module listens by then
