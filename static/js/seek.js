// A click on a line moves the player there and leaves it playing or paused as it was; where both
// sides of a comparison are to be heard (data-plays), it plays.
// Loaded before the page is whole, so that the first lines that are seen can be clicked.

import { AWAY, complain } from "./say.js";
import { rateOf, seekUs } from "./time.js";

// The moment that a line's link names, in seconds: ?…t=12.3#now
export function startOf(row) {
  const href = row.firstElementChild.getAttribute("href");
  return Number(href.slice(href.lastIndexOf("t=") + 2, href.lastIndexOf("#")));
}

export const startMs = (row) => Math.round(startOf(row) * 1000);

// The line of the page that begins then.
export const rowFrom = (ms) => [...document.querySelectorAll("#rows li")].find((row) => startMs(row) === ms) ?? null;

export const isSeen = (row) => row.checkVisibility?.() ?? true;

// Moves the player, before anything else, and tells the others. A moment that begins a frame shows it.
export function seekTo(at) {
  const ms = Math.round(at * 1000);
  const { rate } = document.getElementById("main").dataset;
  // What is no whole millisecond is nobody's rounding.
  document.getElementById("player").currentTime = rate && ms / 1000 === at ? seekUs(ms, rateOf(rate)) / 1e6 : at;
  document.dispatchEvent(new CustomEvent("desk:seek", { detail: { at } }));
}

// How long what is played lasts, in seconds: as the player knows, or else the server.
export function duration() {
  const known = document.getElementById("player").duration;
  return Number.isFinite(known) ? known : Number(document.getElementById("main").dataset.length);
}

// The moment that is shown, in milliseconds: at the very end the last frame still is.
export function shownMs() {
  const now = Math.round(document.getElementById("player").currentTime * 1000);
  const end = Math.round(duration() * 1000) || Infinity;
  return Math.max(0, Math.min(now, end - 1));
}

// The text node of what is said: no module adds to it, and buttons that a line borrows come after it.
export const textOf = (row) => row.firstElementChild.nextElementSibling?.firstChild;

// A length is written only where the next line does not begin at once.
export function endOf(row) {
  if (row.dataset.d) return after(startOf(row), row.dataset.d);
  return startOf(row.nextElementSibling ?? row.parentElement.nextElementSibling.firstElementChild);
}

// A line's number in the transcript: its block knows that of its first.
export function numberOf(row) {
  const block = row.parentElement;
  return Number(block.dataset.n) + Array.prototype.indexOf.call(block.children, row);
}

// The range that is in force, in seconds; null where a side is open.
export function shownRange() {
  const query = new URLSearchParams(document.getElementById("transcript").dataset.query);
  const [start, end] = ["start", "end"].map((side) => (query.has(side) ? Number(query.get(side)) : null));
  return { start, end };
}

// To the millisecond: sums of decimals are a hair off.
export const after = (start, length) => Math.round((start + Number(length)) * 1000) / 1000;

// Whether the click ended a selection of words: one that was dragged, or a second or third click.
// (To ask for the selection alone would make the page lay itself out before each seek.)
let pressed = null;
document.addEventListener("pointerdown", (event) => (pressed = event), { passive: true });

function isSelecting(row, { detail, shiftKey, clientX, clientY }) {
  const moved = pressed ? Math.hypot(clientX - pressed.clientX, clientY - pressed.clientY) : 0;
  if (!detail || (detail === 1 && !shiftKey && moved < 3)) return false;
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(row, true);
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("#rows li");
  if (!row || event.target.closest("button, form")) return;
  const link = event.target.closest("a");
  if (link && (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) return;
  if (!link && isSelecting(row, event)) return;
  event.preventDefault();
  seekTo(startOf(row));
  if (row.closest("[data-plays]")) document.getElementById("player").play().catch(() => {}); // the page says why by itself
});

async function explain(player) {
  if (!document.getElementById("unplayable")) return; // the bin says it in its own words
  const answer = await fetch(player.src, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer?.status === 404) complain(AWAY, "look");
  else if (answer) document.getElementById(answer.ok ? "unplayable" : "missing").hidden = false;
}

// Errors do not bubble; and one may have come before this module did.
document.addEventListener("error", ({ target }) => target.id === "player" && explain(target), true);
if (document.getElementById("player")?.error) explain(document.getElementById("player"));
