// In and out: marks the range at the playhead, asks the range's form for it, and plays around it.
//
// Playing stops once where the range ends, or begins again where "Loop" is on. It sleeps till
// then, and not at all while paused. desk:range (detail.start, detail.end: seconds or null) sets
// the range from elsewhere.

import { endOf, startOf } from "./seek.js";
import { frameAt, frameMs, timebaseOf } from "./time.js";

const player = document.getElementById("player");
const main = document.getElementById("main");
const script = document.getElementById("script");
const loop = document.getElementById("loop");
const note = document.getElementById("transport-note");
const base = timebaseOf(main.dataset);

let range = { start: null, end: null };
let asked = null; // the newest range that was asked for and is not shown yet
let sent = null; // the one that the server is looking up
let timer = 0;

const isSet = () => range.start !== null || range.end !== null;
const number = (text) => (text ? Number(text) : null);
const last = () => (Number.isFinite(player.duration) ? player.duration : Number(main.dataset.length));

function read() {
  const query = new URLSearchParams(document.getElementById("transcript").dataset.query);
  range = { start: number(query.get("start")), end: number(query.get("end")) };
  for (const button of document.querySelectorAll("[data-needs-range]")) button.disabled = !isSet();
  if (!isSet()) loop.setAttribute("aria-pressed", "false");
  arm();
}

// --- marking ---

// One at a time: a request that is cut off by the next is an error to htmx.
function ask(next) {
  asked = next;
  if (!sent) send();
}

function send() {
  const { start, end } = asked;
  if (start === null && end === null) {
    asked = null;
    return document.getElementById("range-clear")?.click();
  }
  const form = document.getElementById("range");
  sent = asked;
  form.elements.start.value = start === null ? "" : rounded(start);
  form.elements.end.value = end === null ? "" : rounded(end);
  window.htmx.process(form); // it may have come just now: unprocessed, it would load a page
  form.requestSubmit();
}

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig?.elt.id !== "range") return;
  if (asked === sent) asked = null;
  sent = null;
  if (asked) send();
});

const rounded = (seconds) => String(Number(seconds.toFixed(3)));

// The start of the frame that is shown.
function playhead() {
  return frameMs(frameAt(Math.round(player.currentTime * 1000), base.rate), base.rate) / 1000;
}

function markIn() {
  const { end } = asked ?? range;
  const start = playhead();
  ask({ start, end: end !== null && end <= start ? null : end });
}

function markOut() {
  const { start } = asked ?? range;
  const end = playhead();
  if (end === 0) return say("The range cannot end at the very start.");
  ask({ start: start !== null && start >= end ? null : start, end });
}

function markRow() {
  const row = document.querySelector("#rows li[aria-current]");
  if (!row) return say("No line is spoken at the playhead.");
  ask({ start: startOf(row), end: endOf(row) });
}

function say(sentence) {
  note.textContent = sentence;
  setTimeout(() => note.textContent === sentence && (note.textContent = ""), 4000);
}

// --- playing around ---

function go(seconds) {
  player.currentTime = seconds;
  document.dispatchEvent(new CustomEvent("desk:seek", { detail: { at: seconds } }));
}

const loops = () => loop.getAttribute("aria-pressed") === "true";

function arm() {
  clearTimeout(timer);
  if (player.paused || !isSet()) return;
  const left = (range.end ?? last()) - player.currentTime;
  if (left <= 0.002) return; // whoever plays behind the range may
  timer = setTimeout(reach, Math.min(Math.max((left * 1000) / (player.playbackRate || 1), 4), 60_000));
}

function reach() {
  const end = range.end ?? last();
  if (player.currentTime < end - 0.004) return arm();
  if (loops()) return go(range.start ?? 0);
  if (range.end === null) return;
  player.pause();
  go(end);
}

function begin() {
  const at = player.currentTime;
  const outside = at < (range.start ?? 0) - 0.002 || at >= (range.end ?? last()) - 0.002;
  if (loops() && isSet() && outside) go(range.start ?? 0);
  arm();
}

function toggleLoop() {
  if (!isSet()) return say("Set a range first, with I and O.");
  loop.setAttribute("aria-pressed", String(!loops()));
}

const COMMANDS = {
  "range-in": markIn,
  "range-out": markOut,
  "range-row": markRow,
  "range-clear": () => ask({ start: null, end: null }),
  "to-in": () => go(range.start ?? 0),
  "to-out": () => go(range.end ?? last()),
  loop: toggleLoop,
};

document.addEventListener("desk:command", ({ detail }) => COMMANDS[detail.name]?.());
document.addEventListener("desk:range", ({ detail }) => ask(detail));
player.addEventListener("play", begin);
for (const name of ["playing", "seeked", "ratechange", "loadedmetadata"]) player.addEventListener(name, arm);
for (const name of ["pause", "waiting", "seeking"]) player.addEventListener(name, () => clearTimeout(timer));
player.addEventListener("ended", () => {
  if (!loops()) return;
  go(range.start ?? 0);
  player.play().catch(() => {});
});
new MutationObserver(read).observe(script, { childList: true });
read();
