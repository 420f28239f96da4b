// Keeps the range, or a line, while the video plays on.

import { carryOver, isChanged, remember } from "./carry.js";
import { allLines, isOver, lineAt } from "./lines.js";
import { focusedRow, tabbedRow } from "./meant.js";
import { announce, note } from "./say.js";
import { endOf, seekTo, shownRange, startOf } from "./seek.js";
import { dataOf, fillMoment, writeMoment } from "./typed.js";

const AGAIN_MS = 2000;
const main = document.getElementById("main");
main.dataset.unanswered = "The server is not responding. What you keep or change is sent as soon as it does."; // page.js says it
const player = document.getElementById("player");

const panel = () => document.getElementById("selects");
const form = () => document.getElementById("keep"); // not there for who may only read

// --- what is kept ---

document.addEventListener("desk:command", (event) => {
  if (event.detail.name !== "keep-select" || !form()) return;
  const found = span();
  if (found) keep(found);
  else note("There is nothing to keep here.");
});
document.addEventListener("click", (event) => {
  const tool = event.target.closest("[data-row=keep]");
  if (tool) keep(spanOf(tool.closest("li")));
});

// A form into which no time was typed keeps what the key would keep.
document.addEventListener("click", (event) => {
  const sides = form() ? [form().elements.start, form().elements.end] : [];
  if (event.target.id !== "keep-button" || sides.some(isChanged) || sides.every((side) => side.value)) return;
  const found = span();
  if (found) sides.forEach((side, n) => (side.value = found[n]));
});
// The line that somebody went to by Tab; else the range; else the line that has the focus of the
// keyboard, or the one at the playhead.
function span() {
  const row = tabbedRow();
  return row ? spanOf(row) : (range() ?? line());
}

// Both sides must be there: an open range is the whole rest of the video.
function range() {
  const { start, end } = shownRange();
  return start === null || end === null ? null : [start, end];
}

const spanOf = (row) => [startOf(row), endOf(row)];

// Also one that a range or a filter leaves out of the page. Before the first line, that one; nothing
// behind the last.
function line() {
  const row = focusedRow();
  if (row) return spanOf(row);
  const found = allLines();
  const { starts, ends } = found;
  const at = Math.max(0, lineAt(found, player.currentTime));
  return at in starts && !isOver(found, at, player.currentTime) ? [starts[at], ends[at]] : null;
}

// --- one after the other ---

// Each as it was when it was asked for, wherever playhead, range and form are when its turn comes.
// (htmx forgets what waits for a form that an answer replaces.)
const queue = [];
let sending = false;

document.addEventListener(
  "submit",
  (event) => {
    const asked = event.target.closest("#selects form");
    if (!asked || !window.htmx) return;
    event.preventDefault();
    event.stopPropagation(); // htmx would send it at once
    const data = dataOf(asked);
    if (asked !== form()) return ask(asked, Object.fromEntries(data));
    keep([data.get("start"), data.get("end")]);
    for (const side of [asked.elements.start, asked.elements.end]) {
      side.value = side.defaultValue;
      writeMoment(side);
    }
  },
  { capture: true },
);

function keep([start, end]) {
  const { elements } = form();
  // Sent again when no answer comes: by its id the server knows whether it has it already.
  ask(form(), { id: newId(), start, end, note: elements.note.value, colour: elements.colour.value });
  elements.note.value = "";
  elements.colour.selectedIndex = 0;
}

// Of the shape of the server's own: eight digits of time, sixteen by chance.
function newId() {
  const chance = crypto.getRandomValues(new Uint8Array(8));
  return [Date.now() / 1000 >>> 0, ...chance].map((part, n) => part.toString(16).padStart(n ? 2 : 8, "0")).join("");
}

function ask(asked, values) {
  queue.push({ url: asked.getAttribute("action"), row: asked.closest("li")?.id, values });
  if (!sending) send();
}

async function send() {
  sending = true;
  while (queue.length) {
    if (await post(queue[0])) queue.shift();
    else await new Promise((go) => setTimeout(go, AGAIN_MS));
  }
  sending = false;
}

// False when the server did not answer.
async function post({ url, values }) {
  const before = panel();
  try {
    await window.htmx.ajax("POST", url, { source: main, target: "#selects", swap: "outerHTML", values });
  } catch {
    return false;
  }
  if (before.isConnected && url === form().getAttribute("action")) refill(values);
  return true;
}

// The server could not do it: what was typed is there to be tried again.
function refill(values) {
  const { elements } = form();
  if (elements.note.value || values.removed) return; // more was typed since, or nothing was
  for (const name of ["start", "end", "note", "colour"]) elements[name].value = values[name];
}
addEventListener("beforeunload", (event) => {
  if (queue.length) event.preventDefault();
});

// --- the panel ---

// The form follows the range of the page; what was typed into it stays.
function follow() {
  const sides = form() ? [form().elements.start, form().elements.end] : [];
  if (sides.some(isChanged) || document.querySelector("#selects [role=alert]")) return;
  const shown = shownRange();
  for (const side of sides) fillMoment(side, shown[side.name]);
}
new MutationObserver(follow).observe(document.getElementById("script"), { childList: true });

let had = false; // the panel had the focus

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id !== "selects") return;
  had = detail.target.contains(document.activeElement);
  remember(detail.target, isSent);
});

// The form that keeps is emptied when it is sent: what is in it was typed since.
const isSent = (each) => each !== form() && each.getAttribute("action") === queue[0]?.url;

// A click on one shows its range here, where the video plays on; else it is a link as any.
document.addEventListener("click", (event) => {
  const link = event.target.closest("#selects .kept li > a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const [start, end] = ["start", "end"].map((side) => Number(link.parentElement.dataset[side]));
  document.dispatchEvent(new CustomEvent("desk:range", { detail: { start, end } }));
  seekTo(start);
});

const keptNow = () => document.getElementById(panel().dataset.kept ?? "");

// The button that had the focus may be gone with what it took out, or put back.
function focusBeside(changed = "") {
  if (!had || document.activeElement !== document.body) return;
  const row = document.getElementById(changed);
  const next = row?.querySelector("summary") ?? panel().querySelector(".removed button") ?? keptNow()?.querySelector("a");
  next?.focus({ preventScroll: true });
}

// The strip draws what is kept.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "selects") return;
  tell();
  carryOver(panel());
  focusBeside(queue[0]?.row);
  follow();
});
// Then clock.js has written the times as they are shown.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id !== "selects") return;
  const kept = keptNow()?.querySelector("a").textContent;
  const said = kept ? `Kept ${kept}.` : panel().querySelector(".removed span")?.textContent;
  if (said) announce(said);
});

function tell() {
  const kept = document.querySelectorAll("#selects .kept li");
  const ranges = [...kept].map(({ dataset }) => [Number(dataset.start), Number(dataset.end), dataset.colour]);
  document.dispatchEvent(new CustomEvent("desk:selects", { detail: { ranges } }));
}

addEventListener("load", tell); // every module listens by then
