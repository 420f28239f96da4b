// Marks the line that is spoken and keeps it in sight; goes to the one before or behind it.
//
// The mark sleeps until the next line begins instead of asking several times a second.
// Following pauses when the reader scrolls the marked line out of sight, and goes on when the
// line is back in sight, when a line is clicked or with the button. No timer decides it.

import { keep, kept } from "./kept.js";
import { allLines, isOver, lineAt, lines, whenRead } from "./lines.js";
import { isSeen, seekTo } from "./seek.js";

const player = document.getElementById("player");
const toggle = document.getElementById("follow");
const button = document.getElementById("to-playhead");
const script = document.getElementById("script");
const DOUBLE_CLICK_MS = 500;

let current = null; // the marked line
let jumped = false;
let timer = 0;

let away = false; // the reader looks elsewhere
let finding = false; // the reader goes through hits: only a click, the button or the end of it resumes
let wasAway = false; // before that
let scrolled = false; // the reader scrolled since the mark moved or was last in sight
let ours = false; // the scrolling under way is our own
let pressed = -Infinity; // when a pointer last went down on the lines
let watcher = null;

function tick(time = player.currentTime) {
  clearTimeout(timer);
  const found = lines();
  const { rows, starts, ends } = found;
  // With some lines left out between those in the page, nothing may be said behind each.
  const some = document.getElementById("rows").classList.contains("some");
  const at = lineAt(found, time);
  const over = at >= 0 && time >= ends[at];
  const past = over && at === rows.length - 1;
  mark(past || (over && some) || !begun(time) ? null : (rows[at] ?? null));
  if (player.paused || player.ended || past) return;
  const next = at + 1 === starts.length || (some && at >= 0 && !over) ? ends[at] : starts[at + 1];
  if (!(next >= 0)) return;
  const wait = ((next - time) * 1000) / (player.playbackRate || 1);
  timer = setTimeout(tick, Math.min(Math.max(wait, 4), 60_000));
}

// Before anybody played or jumped, no line is spoken.
function begun(time) {
  return jumped || time > 0 || player.played.length > 0 || !player.paused;
}

function mark(row) {
  if (row === current) return;
  current?.removeAttribute("aria-current");
  if (current) watcher.unobserve(current);
  current = row;
  scrolled = false;
  if (!row) return offer(false);
  row.setAttribute("aria-current", "true");
  watcher.observe(row); // answers whether it is in sight, without reading the layout here
}

function seen(entries) {
  const entry = entries.at(-1);
  if (entry.target !== current) return;
  const inSight = entry.intersectionRatio > 0;
  if (inSight && !finding) away = false;
  else if (scrolled) away = true;
  if (toggle.checked && !away && !scrolled && entry.intersectionRatio < 0.99) showSoon();
  offer(!inSight && (!toggle.checked || away));
  const way = entry.boundingClientRect.top < entry.rootBounds?.top ? "up" : "down";
  if (button.dataset.way !== way) button.dataset.way = way;
}

// Written only when it changes: that costs a frame of the page.
function offer(wanted) {
  if (button.hidden === wanted) button.hidden = !wanted;
}

// A line that was clicked stays below the pointer for as long as a double click takes.
function showSoon() {
  const wait = pressed + DOUBLE_CLICK_MS - performance.now();
  if (wait <= 0) show();
  else setTimeout(lookAgain, wait);
}

// The watcher tells anew whether the marked line is in sight.
function lookAgain() {
  if (!current) return;
  watcher.unobserve(current);
  watcher.observe(current);
}

function show() {
  if (!current) return;
  ours = true;
  current.scrollIntoView({ block: "center" });
  // Blocks that were never laid out only guess their height: look again when they are.
  requestAnimationFrame(() => {
    if (ours) current?.scrollIntoView({ block: "center" });
    requestAnimationFrame(() => requestAnimationFrame(() => (ours = false)));
  });
}

function resume() {
  finding = away = scrolled = false;
  offer(false);
  show();
}

// --- to the line beside ---

// A range leaves lines out for their time: the playhead goes to them all the same. A filter leaves
// them out for what they say.
function toLine(step) {
  const isFiltered = document.getElementById("rows").matches(".some, .only");
  const found = isFiltered ? lines() : allLines();
  const { rows, starts, ends } = found;
  const time = player.currentTime;
  const at = begun(time) ? lineAt(found, time) : -1;
  const isBehind = isFiltered ? time >= ends[at] : isOver(found, at, time);
  let n = step < 0 && isBehind ? at : at + step;
  while (rows?.[n] && !isSeen(rows[n])) n += step;
  if (n in starts) seekTo(starts[n]);
}

const STEPS = { "row-previous": -1, "row-next": 1 };
document.addEventListener("desk:command", ({ detail }) => STEPS[detail.name] && toLine(STEPS[detail.name]));

// What the sticky bar or player covers is not in sight.
function watch() {
  watcher?.disconnect();
  const covers = document.querySelectorAll(matchMedia("(width < 60rem)").matches ? ".player" : ".find, .range");
  const top = Math.ceil([...covers].reduce((sum, cover) => sum + cover.getBoundingClientRect().height, 0));
  watcher = new IntersectionObserver(seen, { rootMargin: `-${top}px 0px 0px 0px`, threshold: [0, 0.01, 1] });
  if (current) watcher.observe(current);
}

addEventListener("scroll", () => (scrolled ||= !ours), { passive: true });
for (const name of ["wheel", "touchmove", "keydown"]) {
  addEventListener(name, () => (ours = false), { passive: true });
}
script.addEventListener("pointerdown", () => (pressed = performance.now()), { passive: true });
addEventListener("resize", watch);
button.addEventListener("click", resume);
toggle.addEventListener("change", () => {
  keep("follow", toggle.checked ? "1" : "0");
  if (toggle.checked) resume();
});
document.addEventListener("desk:seek", (event) => {
  finding = away = scrolled = false;
  jumped = true;
  tick(event.detail.at);
});
document.addEventListener("desk:find", (event) => {
  if (event.detail.on === finding) return;
  if (event.detail.on) wasAway = away;
  else if (finding) scrolled = false;
  finding = event.detail.on;
  away = finding || wasAway;
  if (!finding) lookAgain();
});
for (const name of ["playing", "seeking", "seeked", "ratechange", "pause", "ended", "loadedmetadata"]) {
  player.addEventListener(name, () => tick());
}
player.addEventListener("waiting", () => clearTimeout(timer));
document.addEventListener("visibilitychange", () => document.hidden || tick());

// Lines come while the task runs, and go with a range.
new MutationObserver((records) => {
  if (records.every((record) => record.target.closest("#rows li, form, output"))) return;
  if (current && !current.isConnected) {
    current.removeAttribute("aria-current");
    current = null;
  }
  tick();
}).observe(script, { childList: true, subtree: true });

toggle.checked = kept("follow") !== "0";
watch();
const opened = player.src.match(/#t=([\d.]+)/);
current = document.getElementById("now");
if (current) watcher.observe(current);
if (opened) {
  tick(Number(opened[1]));
  show();
} else {
  whenRead(() => tick());
}
