// Shows time as clock, seconds, timecode or the file's own timecode: beside the player, on the lines,
// in fields of moments and wherever data-time says seconds; and goes to whatever is typed. The
// strip listens to desk:time for its own labels.

import { keep, kept } from "./kept.js";
import { later } from "./lines.js";
import { seekTo, shownMs, shownRange, startMs } from "./seek.js";
import { name, NoTime, parseMoment, timebaseOf } from "./time.js";
import { meant, writeMoment } from "./typed.js";

const MODES = ["clock", "running", "source", "seconds"];

const player = document.getElementById("player");
const main = document.getElementById("main");
const script = document.getElementById("script");
const modes = document.getElementById("time-mode");
const shown = document.getElementById("time-now");
const whole = document.getElementById("time-length");
const form = document.getElementById("go-to");
const field = document.getElementById("go-to-field");
const wrong = document.getElementById("go-to-error");

const base = timebaseOf(main.dataset);
const length = Math.round(Number(main.dataset.length) * 1000);
const nowMs = () => Math.round(player.currentTime * 1000);

let mode = "clock";
let text = "";
const inMode = (ms) => name(ms, base, mode);

// --- beside the player ---

// The clock's tenths only while it stands: each change costs a frame of the page.
function show() {
  const isFrame = mode === "running" || mode === "source";
  const next = name(isFrame ? shownMs() : nowMs(), base, mode, player.paused);
  if (next !== text) shown.firstChild.data = text = next;
}

for (const event of ["timeupdate", "seeking", "seeked", "play", "pause", "loadedmetadata"]) {
  player.addEventListener(event, show);
}

// --- on the lines: block by block, those in sight first, the rest when there is nothing to do ---

const written = new WeakMap(); // a block's mode
let others = false; // whether one was ever written otherwise than it comes
const modeOf = (block) => written.get(block) ?? "clock";
const near = new IntersectionObserver(
  (entries) => entries.forEach(({ isIntersecting, target }) => isIntersecting && write(target)),
  { rootMargin: "1500px 0px" },
);
let queue = [];
let waiting = 0;

function write(block) {
  near.unobserve(block);
  if (modeOf(block) === mode) return;
  written.set(block, mode);
  others = true;
  for (const row of block.children) {
    const link = row.firstElementChild;
    const ms = startMs(row);
    link.firstChild.data = inMode(ms);
  }
}

function rest(deadline) {
  waiting = 0;
  while (queue.length && deadline.timeRemaining() > 1) write(queue.pop());
  if (queue.length) waiting ||= later(rest);
}

function writeAll(blocks = script.querySelectorAll(".block")) {
  queue = [...blocks].filter((block) => modeOf(block) !== mode).reverse();
  near.disconnect();
  for (const block of queue) near.observe(block);
  waiting ||= later(rest);
}

// Lines that come, or were corrected, come with the clock's time.
new MutationObserver((records) => {
  if (mode === "clock" && (!others || records.every((record) => record.target.closest(".block")))) return;
  const changed = new Set(records.map((record) => record.target.closest(".block")));
  for (const block of changed) if (block) written.set(block, "");
  const touched = records.some((record) => !record.target.closest("#rows li, form, output"));
  if (touched) writeAll();
}).observe(script, { childList: true, subtree: true });

// --- elsewhere ---

function writeOthers() {
  for (const each of document.querySelectorAll("span[data-time]")) {
    each.textContent = inMode(Math.round(Number(each.dataset.time) * 1000));
  }
}

function writeFields(within = document) {
  for (const field of within.querySelectorAll("[data-moment]")) writeMoment(field);
}
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (mode === "clock") return;
  if (detail.target.id === "range") return writeRange(); // refused: it comes with the clock's times
  if (detail.target.id !== "selects") return;
  writeOthers();
  writeFields();
});

// --- the form of the range ---

function writeHints() {
  const { start, end } = document.getElementById("range").elements;
  start.placeholder = inMode(0);
  end.placeholder = inMode(length);
}

function writeRange() {
  writeHints();
  writeFields(document.getElementById("range"));
}
new MutationObserver(writeRange).observe(script, { childList: true });
document.addEventListener("desk:declined", () => {
  document.getElementById("range").reset();
  writeRange();
});

// --- the switch ---

function setMode(next) {
  mode = MODES.includes(next) ? next : "clock";
  modes.value = mode;
  main.dataset.time = mode;
  whole.textContent = inMode(length);
  text = "";
  show();
  writeHints();
  writeFields();
  document.dispatchEvent(new CustomEvent("desk:time", { detail: { mode } }));
}

modes.addEventListener("change", () => {
  keep("time", modes.value);
  setMode(modes.value);
  writeAll();
  writeOthers();
});

// --- go to ---

function say(sentence) {
  wrong.textContent = sentence;
  wrong.hidden = !sentence;
  if (sentence) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  try {
    const ms = parseMoment(field.value, base, nowMs(), mode === "running");
    const last = Number.isFinite(player.duration) ? Math.floor(player.duration * 1000) : length;
    if (ms > last) throw new NoTime(`The video ends at ${inMode(last)}.`);
    say("");
    seekTo(ms / 1000);
    field.value = "";
    field.blur(); // so that the keys play again
  } catch (error) {
    if (!(error instanceof NoTime)) throw error;
    say(error.message);
    field.select();
  }
});
field.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  say("");
  field.value = "";
  field.blur();
});
document.addEventListener("desk:command", (event) => {
  if (event.detail.name !== "go-to") return;
  field.focus();
  field.select();
});

// --- what is sent ---

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (!(detail.elt instanceof HTMLFormElement)) return;
  for (const field of detail.elt.querySelectorAll("[data-moment]")) {
    if (detail.formData.get(field.name)) detail.formData.set(field.name, meant(field));
  }
});

setMode(kept("time"));
if (mode !== "clock") {
  writeAll();
  writeOthers();
}
