// The whole video on one line: where is spoken, and how densely; hits, selects and the wave of
// the sound, if somebody gives them; the range with its two handles; the playhead.
//
// A click jumps, a drag sets the range; handles and drags snap to the edges of lines, but not
// with Alt. Only letting go asks for the range (desk:range), so that address, form and server
// stay one truth. Listens to desk:hits (detail.hits: seconds, detail.colours: one each, if any)
// and desk:selects (detail.ranges: [start, end, colour]); says desk:hover (detail.at in seconds
// or null, detail.x and y: where there is room above).

import { firstWhere, whenAllRead } from "./lines.js";
import { seekTo, shownRange } from "./seek.js";
import { name, timebaseOf } from "./time.js";

const player = document.getElementById("player");
const main = document.getElementById("main");
const script = document.getElementById("script");
const strip = document.getElementById("strip");
const canvas = strip.querySelector("canvas");
const shade = strip.querySelector(".strip-range");
const playhead = strip.querySelector(".strip-playhead");
const tip = document.getElementById("strip-tip");
const TIP = 24; // its height
// By a word's number, as in the lines, where they lie behind text and are paler.
const HITS = ["#d99a00", "#2f9e5a", "#3d86d6", "#c2569b", "#8a66d9"];
const handles = Object.fromEntries([...strip.querySelectorAll("[role=slider]")].map((each) => [each.dataset.side, each]));

const SNAP = 6; // pixels
const DENSE = 22; // characters a second that fill the line's height
const base = timebaseOf(main.dataset);

let length = Number(main.dataset.length) || 1;
let width = 1; // in CSS pixels
let lines = { starts: new Float64Array(0), ends: new Float64Array(0), weights: new Float64Array(0) };
let hits = [];
let colours = [];
let selects = [];
let peaks = null;
let range = { start: null, end: null };

const named = (seconds) => name(Math.round(seconds * 1000), base, main.dataset.time ?? "clock");
const clamp = (seconds) => Math.min(Math.max(seconds, 0), length);

// --- what is spoken ---

function read() {
  whenAllRead((found) => {
    lines = found;
    draw();
  });
}

// --- drawing ---

let asked = 0;

function draw() {
  asked ||= requestAnimationFrame(() => {
    asked = 0;
    paint();
  });
}

function paint() {
  const pen = canvas.getContext("2d");
  const { width: across, height } = canvas;
  const { color, fill, stroke, outlineColor } = getComputedStyle(canvas); // what the theme says
  const unit = height / 44;
  pen.clearRect(0, 0, across, height);
  const [top, bottom] = [7 * unit, 37 * unit];
  if (peaks) paintPeaks(pen, across, top, bottom, fill);
  paintSpeech(pen, across, peaks ? bottom - 5 * unit : top, bottom, color);
  pen.fillStyle = stroke;
  pen.fillRect(0, bottom, across, Math.max(1, Math.round(unit)));
  const tones = new Map();
  for (const [start, end, colour] of selects) {
    if (!tones.has(colour)) tones.set(colour, toneOf(colour) || outlineColor);
    pen.fillStyle = tones.get(colour);
    pen.fillRect((start / length) * across, 39 * unit, Math.max(((end - start) / length) * across, 2 * unit), 4 * unit);
  }
  for (let n = 0; n < hits.length; n++) {
    pen.fillStyle = HITS[colours[n]] ?? colours[n] ?? outlineColor;
    pen.fillRect((hits[n] / length) * across - unit / 2, 0, 1.5 * unit, top - unit);
  }
}

// As its swatch beside the video, whatever the theme makes of it.
function toneOf(colour) {
  const swatch = document.querySelector(`#selects .swatch.${colour}`);
  return swatch ? getComputedStyle(swatch).backgroundColor : colour;
}

function paintSpeech(pen, across, top, bottom, colour) {
  const columns = density(across);
  const scale = across / length;
  pen.fillStyle = colour;
  for (let x = 0; x < across; x++) {
    if (!columns[x]) continue;
    const tall = Math.max(0.14, Math.min((columns[x] * scale) / DENSE, 1)) * (bottom - top);
    pen.fillRect(x, bottom - tall, 1, tall);
  }
}

// The characters spoken in each column.
function density(across) {
  const { starts, ends, weights } = lines;
  const columns = new Float32Array(across);
  const scale = across / length;
  for (let n = 0; n < starts.length; n++) {
    const from = starts[n] * scale;
    const to = Math.max(ends[n] * scale, from + 0.001);
    const share = weights[n] / (to - from);
    for (let x = Math.floor(from); x < to && x < across; x++) {
      columns[x] += share * (Math.min(to, x + 1) - Math.max(from, x));
    }
  }
  return columns;
}

function paintPeaks(pen, across, top, bottom, colour) {
  const middle = (top + bottom) / 2;
  pen.fillStyle = colour;
  for (let x = 0; x < across; x++) {
    const from = Math.floor((x * peaks.length) / across);
    const to = Math.max(from + 1, Math.floor(((x + 1) * peaks.length) / across));
    let peak = 0;
    for (let n = from; n < to; n++) if (peaks[n] > peak) peak = peaks[n];
    const tall = Math.max(1, (peak / 255) * (bottom - top));
    pen.fillRect(x, middle - tall / 2, 1, tall);
  }
}

async function fetchPeaks() {
  const answer = await fetch(player.dataset.peaks).catch(() => null);
  if (!answer?.ok) return;
  const found = new Uint8Array(await answer.arrayBuffer());
  peaks = found.length ? found : null;
  draw();
}

// --- where things stand ---

function place(shown = range) {
  const start = shown.start ?? 0;
  const end = shown.end ?? length;
  const [left, right] = [(start / length) * width, (end / length) * width];
  shade.style.transform = `translateX(${left}px)`;
  shade.style.width = `${Math.max(right - left, 1)}px`;
  handles.start.style.transform = `translateX(${left}px)`;
  handles.end.style.transform = `translateX(${right}px)`;
  strip.dataset.set = shown.start === null && shown.end === null ? "" : "1";
  tell(handles.start, start);
  tell(handles.end, end);
}

function tell(handle, seconds) {
  handle.setAttribute("aria-valuenow", String(Number(seconds.toFixed(3))));
  handle.setAttribute("aria-valuetext", named(seconds));
}

let stands = -1;

function move(seconds = player.currentTime) {
  const x = Math.round(Math.min(seconds / length, 1) * width * 2) / 2;
  if (x !== stands) playhead.style.transform = `translateX(${(stands = x)}px)`;
}

function readRange() {
  range = shownRange();
  if (!drag) place();
}

// --- the pointer ---

let drag = null; // { from, side, box, moved }
let box = null; // where the strip is, while the pointer is over it

function timeAt(x) {
  box ??= strip.getBoundingClientRect();
  return clamp(((x - box.left) / box.width) * length);
}

// The nearest edge of a line, if it is near.
function snap(seconds, event) {
  const near = (SNAP / width) * length;
  if (event.altKey) return seconds;
  const { starts, ends } = lines;
  const next = firstWhere(starts.length, (n) => starts[n] >= seconds);
  const edges = [0, length, starts[next], starts[next - 1], ends[next - 1], ends[next - 2]];
  const best = edges.reduce((a, b) => (Math.abs(b - seconds) < Math.abs(a - seconds) ? b : a));
  return Math.abs(best - seconds) <= near ? best : seconds;
}

// A side at the very edge is open.
function closed({ start, end }) {
  const ordered = start <= end ? [start, end] : [end, start];
  return { start: ordered[0] > 0.0005 ? ordered[0] : null, end: ordered[1] < length - 0.0005 ? ordered[1] : null };
}

const isEmpty = ({ start, end }) => (start ?? 0) >= (end ?? length);

function dragged(event, { side, from }) {
  const at = snap(timeAt(event.clientX), event);
  const shown = { start: range.start ?? 0, end: range.end ?? length };
  if (side) shown[side] = at;
  else Object.assign(shown, { start: from, end: at });
  return { at, range: closed(shown) };
}

strip.addEventListener("pointerdown", (event) => {
  if (event.button || drag) return;
  box = strip.getBoundingClientRect();
  const side = event.target.dataset.side;
  drag = { side, x: event.clientX, from: snap(timeAt(event.clientX), event), moved: false };
  strip.setPointerCapture(event.pointerId);
  if (!side) event.preventDefault(); // no selection, and the focus stays where it is
});

strip.addEventListener("pointermove", (event) => {
  if (!drag) return point(event, timeAt(event.clientX));
  drag.moved ||= Math.abs(event.clientX - drag.x) > 3;
  if (!drag.moved) return;
  const { at, range: next } = dragged(event, drag);
  place(next);
  point(event, at);
});

strip.addEventListener("pointerup", (event) => {
  if (!drag) return;
  const done = drag;
  drag = null;
  const { at, range: next } = dragged(event, done);
  if (done.moved && !isEmpty(next)) return askFor(next);
  place();
  if (!done.side) seekTo(done.moved ? at : timeAt(event.clientX)); // a click, as steady as it was
});

strip.addEventListener("pointercancel", cancel);
strip.addEventListener("lostpointercapture", () => drag && cancel()); // it is told after letting go, too
strip.addEventListener("pointerleave", () => {
  box = null;
  if (!drag) point(null);
});
for (const name of ["scroll", "resize"]) addEventListener(name, () => (box = null), { passive: true, capture: true });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drag) return;
  event.preventDefault(); // it ends this and nothing else
  cancel();
});

function cancel() {
  drag = null;
  place();
  point(null);
}

function point(event, at) {
  tip.hidden = !event || event.pointerType === "touch" && !drag;
  if (!tip.hidden) {
    tip.firstElementChild.textContent = named(at);
    tip.style.transform = `translateX(${(at / length) * width}px)`;
  }
  const detail = tip.hidden ? { at: null } : { at, x: event.clientX, y: strip.getBoundingClientRect().top - TIP };
  document.dispatchEvent(new CustomEvent("desk:hover", { detail }));
}

function askFor(next) {
  const same = next.start === range.start && next.end === range.end;
  if (same) return place();
  range = next;
  place();
  document.dispatchEvent(new CustomEvent("desk:range", { detail: next }));
}

// --- the keyboard, on a handle ---

let waits = 0;
let wanted = null; // what the keys make of the range, until they rest

const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 };

function stepped(key, at, shift) {
  if (key === "Home") return 0;
  if (key === "End") return length;
  if (key === "ArrowUp" || key === "ArrowDown") return edgeBeside(at, key === "ArrowDown" ? 1 : -1);
  return key in STEPS ? at + STEPS[key] * (shift ? base.rate[1] / base.rate[0] : 1) : null;
}

// Up and down go from line to line.
function edgeBeside(at, way) {
  const { starts } = lines;
  let n = firstWhere(starts.length, (each) => starts[each] > at + 0.0005);
  if (way > 0) return starts[n] ?? length;
  while (n > 0 && starts[n - 1] >= at - 0.0005) n--;
  return starts[n - 1] ?? 0;
}

strip.addEventListener("keydown", (event) => {
  const { side } = event.target.dataset;
  if (!side || event.ctrlKey || event.metaKey || event.altKey) return;
  const shown = { start: range.start ?? 0, end: range.end ?? length };
  const at = stepped(event.key, shown[side], event.shiftKey);
  if (at === null) return;
  event.preventDefault();
  // A handle stops at the other one.
  shown[side] = side === "start" ? Math.min(clamp(at), shown.end) : Math.max(clamp(at), shown.start);
  const next = closed(shown);
  if (shown.start === shown.end) return;
  range = wanted = next;
  place();
  clearTimeout(waits);
  waits = setTimeout(rest, 500);
});

function rest() {
  if (wanted) document.dispatchEvent(new CustomEvent("desk:range", { detail: wanted }));
}
document.addEventListener("desk:range", () => (wanted = null)); // or somebody asks for another one
// Before inout.js hears of the command, which begins with the range that was asked for last.
document.addEventListener("desk:command", ({ detail }) => detail.name.startsWith("range-") && rest(), { capture: true });

// --- what changes ---

new ResizeObserver(([{ contentRect }]) => {
  width = contentRect.width || 1;
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(contentRect.height * devicePixelRatio);
  place();
  stands = -1;
  move();
  draw();
}).observe(canvas);
for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)"]) {
  matchMedia(query).addEventListener("change", draw);
}
for (const event of ["timeupdate", "seeking", "seeked"]) player.addEventListener(event, () => move());
document.addEventListener("desk:seek", ({ detail }) => move(detail.at));
player.addEventListener("loadedmetadata", () => {
  if (Number(main.dataset.length) || !Number.isFinite(player.duration)) return;
  length = player.duration;
  place();
  draw();
});

let changed = 0;
new MutationObserver((records) => {
  if (records.some((record) => record.target === script)) readRange();
  if (records.every((record) => record.target.closest("#rows li, form, output"))) return;
  clearTimeout(changed);
  changed = setTimeout(read, 200);
}).observe(script, { childList: true, subtree: true });

document.addEventListener("desk:hits", ({ detail }) => {
  hits = detail.hits ?? [];
  colours = detail.colours ?? [];
  draw();
});
document.addEventListener("desk:selects", ({ detail }) => {
  selects = detail.ranges ?? [];
  draw();
});
document.addEventListener("desk:time", () => place());
document.addEventListener("desk:declined", readRange);

readRange();
read();
if (player.dataset.peaks) fetchPeaks();
document.addEventListener("desk:peaks", fetchPeaks);
