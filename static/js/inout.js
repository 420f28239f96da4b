// In and out: marks the range at the playhead, asks the range's form for it, and plays around it.
//
// Playing stops once where the range ends, on its last frame, or begins again where "Loop" is on;
// playing around it goes on a little and comes back. It sleeps till then, and not at all while
// paused. An address with #t=10,20 (a media fragment) opens with that range. desk:range (detail.start, detail.end: seconds or
// null) sets the range from elsewhere; desk:declined says that what was asked for is not to be had.

import { allLines, firstWhere, isOver, lineAt } from "./lines.js";
import { note } from "./say.js";
import { duration, seekTo, shownMs, shownRange } from "./seek.js";
import { frameAt, frameMs, parseMoment, timebaseOf } from "./time.js";

const player = document.getElementById("player");
const main = document.getElementById("main");
const script = document.getElementById("script");
const loop = document.getElementById("loop");
const base = timebaseOf(main.dataset);

let range = { start: null, end: null };
let asked = null; // the newest range that was asked for and is not shown yet
let sent = null; // the one that the server is looking up
let request = null; // the form's newest, of here or of who typed a range
let timer = 0;
let parked = NaN; // where it stands when it stopped at Out, or went there
let passes = false; // it plays on from there
let around = null; // while it is played around: { until, back }, where it ends and comes back to

const AROUND = 2; // seconds before and after
const isSet = () => range.start !== null || range.end !== null;

function read() {
  const before = range.end;
  range = shownRange();
  if (range.end !== before) [parked, passes] = [NaN, false]; // that was another Out
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
    const clear = document.getElementById("range-clear");
    if (clear) window.htmx.process(clear); // as below
    return clear?.click();
  }
  const form = document.getElementById("range");
  [sent, request] = [asked, null];
  form.elements.start.value = start === null ? "" : rounded(start);
  form.elements.end.value = end === null ? "" : rounded(end);
  window.htmx.process(form); // it may have come just now: unprocessed, it would load a page
  form.requestSubmit();
}

// By its class: it may have lost its id (range.js).
const isRange = ({ requestConfig }) => requestConfig?.elt.matches(".range");

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (isRange(detail)) request = detail.xhr;
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!isRange(detail) || detail.xhr !== request) return; // one that it took the place of was cut off
  const failed = sent && !detail.successful;
  if (asked === sent) asked = null;
  sent = null;
  if (asked) send();
  else if (failed) document.dispatchEvent(new CustomEvent("desk:declined")); // what is shown stays in force
});

// Whoever stays with the line that is being corrected stays in the range, too.
document.addEventListener("desk:declined", () => (asked = sent = null));

const rounded = (seconds) => String(Number(seconds.toFixed(3)));

// The frame that is shown, from its start to that of the next; at the very end the last one.
function shownFrame() {
  const frame = frameAt(shownMs(), base.rate);
  const [from, to] = [frame, frame + 1].map((each) => frameMs(each, base.rate) / 1000);
  return { from, to: Math.min(to, Math.round(duration() * 1000) / 1000 || Infinity) };
}

// Where a line begins between two moments; not at the second. Lines seldom begin where frames do.
function lineWithin(from, to) {
  const { starts } = allLines();
  const next = firstWhere(starts.length, (n) => starts[n] >= from);
  return starts[next] < to ? starts[next] : null;
}

// With the line that begins in the frame, and without the one that ends there.
function markIn() {
  const { end } = asked ?? range;
  const { from, to } = shownFrame();
  const start = lineWithin(from, to) ?? from;
  if (end === null || end > start) return ask({ start, end });
  ask({ start, end: end > from ? to : null }); // Out is in this very frame, or before it
}

// The frame that is shown is the last of the range, as in editing programs. Of a line that begins
// in what is left of it nothing is heard: the range ends there, and is cut at the same frame.
function markOut() {
  const { start } = asked ?? range;
  const { from, to } = shownFrame();
  const heard = Math.max(player.currentTime, start ?? 0) + 0.002;
  const end = lineWithin(Math.max(from, heard), to) ?? to;
  ask({ start: start !== null && start >= end ? null : start, end });
}

// In a pause the line before it, as it is marked; the range that is shown may not hold it.
function markRow() {
  const found = allLines();
  const { starts, ends } = found;
  const at = lineAt(found, player.currentTime);
  if (at < 0 || isOver(found, at, player.currentTime)) return note("No line is at the playhead.");
  ask({ start: starts[at], end: ends[at] });
}

// --- playing around ---

// The last frame of the range: Out there is where it was, and who plays from there plays on.
function toOut() {
  if (range.end === null) return seekTo(duration());
  const frame = frameAt(Math.max(0, Math.round(range.end * 1000) - 1), base.rate);
  seekTo(Math.max(frameMs(frame, base.rate) / 1000, range.start ?? 0));
  parked = player.currentTime;
}

const loops = () => loop.getAttribute("aria-pressed") === "true";

function arm() {
  clearTimeout(timer);
  if (player.paused || passes || !(isSet() || around)) return;
  const left = ends() - player.currentTime;
  if (left <= 0.002) return; // whoever plays behind the range may
  timer = setTimeout(reach, Math.min(Math.max((left * 1000) / (player.playbackRate || 1), 4), 60_000));
}

const ends = () => around?.until ?? range.end ?? duration();

function reach() {
  const end = ends();
  if (player.currentTime < end - 0.004) return arm();
  if (around) return comeBack();
  if (loops()) return seekTo(range.start ?? 0);
  if (range.end === null) return;
  player.pause();
  toOut();
}

function playAround() {
  const back = around?.back ?? player.currentTime;
  const [from, to] = isSet() ? [range.start ?? 0, range.end ?? duration()] : [back, back];
  seekTo(Math.max(0, from - AROUND));
  around = { until: Math.min(to + AROUND, duration()), back };
  player.play().catch(() => {});
  arm();
}

function comeBack() {
  const { back } = around;
  player.pause();
  seekTo(back);
}

function begin() {
  const at = player.currentTime;
  const outside = at < (range.start ?? 0) - 0.002 || at >= (range.end ?? duration()) - 0.002;
  if (loops() && isSet() && outside && !around) seekTo(range.start ?? 0);
  passes = !loops() && !around && at > parked - 0.002; // it may have played a little by now
  arm();
}

function toggleLoop() {
  if (!isSet()) return note("Set a range first, with I and O.");
  loop.setAttribute("aria-pressed", String(!loops()));
}

const COMMANDS = {
  "range-in": markIn,
  "range-out": markOut,
  "range-row": markRow,
  "range-clear": () => ask({ start: null, end: null }),
  "to-in": () => seekTo(range.start ?? 0),
  "to-out": toOut,
  loop: toggleLoop,
  "play-around": playAround,
  "range-clear-in": () => ask({ start: null, end: (asked ?? range).end }),
  "range-clear-out": () => ask({ start: (asked ?? range).start, end: null }),
};

document.addEventListener("desk:command", ({ detail }) => COMMANDS[detail.name]?.());
document.addEventListener("desk:range", ({ detail }) => ask(detail));
// Whoever stops or goes elsewhere does not want to come back.
for (const name of ["desk:seek", "desk:range"]) document.addEventListener(name, () => (around = null));
player.addEventListener("pause", () => (around = null));
player.addEventListener("play", begin);
for (const name of ["playing", "seeked", "ratechange", "loadedmetadata"]) player.addEventListener(name, arm);
for (const name of ["pause", "waiting", "seeking"]) player.addEventListener(name, () => clearTimeout(timer));
for (const name of ["pause", "seeking"]) player.addEventListener(name, () => (passes = false));
player.addEventListener("ended", () => {
  if (around) return comeBack();
  if (!loops()) return;
  seekTo(range.start ?? 0);
  player.play().catch(() => {});
});
new MutationObserver(read).observe(script, { childList: true });
read();

// Seconds and clock times, as Media Fragments name them (npt), and what else a moment may be.
function openFragment() {
  const [, start, end] = /^#t=(?:npt:)?([^,&]*)(?:,([^&]+))?$/.exec(location.hash.replaceAll("%3A", ":")) ?? [];
  if (start === undefined) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  try {
    const from = parseMoment(start || "0", base) / 1000;
    const to = end ? parseMoment(end, base) / 1000 : null;
    seekTo(from);
    if (to > from) ask({ start: from || null, end: to });
  } catch {
    // It names no moment: the page opens as it would without.
  }
}
openFragment();
