// The lines of the page, read once for all who ask: elements, starts and ends in seconds, and
// how many characters each holds; and those of the whole transcript.
//
// They are read while there is nothing else to do, or at once for who cannot wait. What was
// read stays with its #rows, so that a transcript that is laid aside and put back is not read
// again. This module's observer is older than those of the modules that ask: when they hear that
// lines came or went, what was read before is forgotten already.

import { after, startOf, textOf } from "./seek.js";

const script = document.getElementById("script");
const known = new WeakMap(); // #rows -> a reading
export const later = window.requestIdleCallback ?? ((work) => setTimeout(() => work({ timeRemaining: () => 8 }), 50));
const STRIDE = 50; // lines between two looks at the clock

function begin(box) {
  const rows = box.querySelectorAll("li");
  const [starts, ends, weights] = [0, 0, 0].map(() => new Float64Array(rows.length));
  return { rows, starts, ends, weights, at: 0 };
}

// A length is written only where the next line does not begin at once.
function advance(reading, mayGoOn) {
  const { rows, starts, ends, weights } = reading;
  while (reading.at < rows.length && mayGoOn()) {
    const stop = Math.min(reading.at + STRIDE, rows.length);
    for (let n = reading.at; n < stop; n++) {
      const row = rows[n];
      const length = row.getAttribute("data-d");
      starts[n] = startOf(row);
      ends[n] = length === null ? NaN : after(starts[n], length);
      weights[n] = textOf(row)?.length ?? 0;
      if (n && Number.isNaN(ends[n - 1])) ends[n - 1] = starts[n];
    }
    reading.at = stop;
  }
  return reading.at === rows.length;
}

function current() {
  const box = document.getElementById("rows") ?? script;
  if (!known.has(box)) known.set(box, begin(box));
  return known.get(box);
}

// All of them, now.
export function lines() {
  const reading = current();
  advance(reading, () => true);
  return reading;
}

// Halves its way to the first of `count` of which something holds that holds of all behind it as well;
// `count` when it holds of none.
export function firstWhere(count, holds) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

// The number of the last line that has begun; -1 before the first. A frame's time may lie a hair
// before the moment that was asked for.
export const lineAt = ({ starts }, time) => firstWhere(starts.length, (n) => starts[n] > time + 0.002) - 1;

// In a pause the line before it is meant; behind the last one, none.
export const isOver = ({ starts, ends }, at, time) => at === starts.length - 1 && time >= ends[at];

// Calls back with all of them, soon. Not at all when others take their place meanwhile.
export function whenRead(tell) {
  const reading = current();
  const next = (deadline) => {
    if (current() !== reading) return;
    if (advance(reading, () => deadline.timeRemaining() > 1)) tell(reading);
    else later(next);
  };
  later(next);
}

// --- the lines of the transcript, also those that a range or a filter leaves out of the page ---

let whole = null; // { task, starts, ends, weights }, read when they were in the page, or fetched
let wishes = 0;

const taskOf = () => document.querySelector("#applied [name=task]")?.value ?? "";
// How many there are by now, as the page was told.
const total = () => Number(document.getElementById("count")?.dataset.total);
const isNarrowed = () => Boolean(document.getElementById("transcript")?.dataset.query);

// As far as they are known; with their elements (rows) when all are in the page.
export function allLines() {
  return isNarrowed() && whole?.task === taskOf() ? whole : lines();
}

// Calls back with all of them, once they are known; only for the newest who asks.
export function whenAllRead(tell) {
  const wish = ++wishes;
  const task = taskOf();
  const keep = ({ starts, ends, weights }) => {
    if (wish === wishes) tell((whole = { task, starts, ends, weights }));
  };
  if (!isNarrowed()) whenRead(keep);
  else if (whole?.task === task && whole.starts.length === total()) keep(whole);
  else fetchLines().then((found) => found && keep(found));
}

async function fetchLines() {
  const answer = await fetch(document.getElementById("strip").dataset.speech).catch(() => null);
  if (!answer?.ok) return null;
  const { lines: found } = await answer.json();
  return {
    starts: Float64Array.from(found, ([start]) => start / 1000),
    ends: Float64Array.from(found, ([, end]) => end / 1000),
    weights: Float64Array.from(found, ([, , weight]) => weight),
  };
}

// They were corrected.
document.addEventListener("desk:rows", () => (whole = null));

// A line's own tools, its form and its marks are no other lines; a #rows that takes another's place
// holds the lines that it held.
new MutationObserver((records) => {
  for (const { target } of records) {
    if (!target.closest("#rows li")) known.delete(target.closest("#rows") ?? script);
  }
}).observe(script, { childList: true, subtree: true });
