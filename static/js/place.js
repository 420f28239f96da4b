// Remembers where one stopped and what was played, and tints the lines of it.
//
// The player itself knows what it played. The server is told now and then while it plays, and
// when the page goes; lines are tinted when their block comes near, so that length costs nothing.

import { later } from "./lines.js";
import { endOf, seekTo, startOf } from "./seek.js";

const EVERY_MS = 15_000;
const player = document.getElementById("player");
const place = document.getElementById("place");
const script = document.getElementById("script");
const resume = document.getElementById("resume");
const token = place.querySelector("[name=csrfmiddlewaretoken]").value;

const before = JSON.parse(place.dataset.played);
let told = "";
let timer = 0;
let forgetting = false; // the page goes because all of it shall be forgotten

// [[start_ms, end_ms], …] of this visit; moments that were only passed over are left out.
function played() {
  const found = [];
  for (let n = 0; n < player.played.length; n++) {
    const start = Math.round(player.played.start(n) * 1000);
    const end = Math.round(player.played.end(n) * 1000);
    if (end - start >= 500) found.push([start, end]);
  }
  return found.slice(-200);
}

function tell() {
  const now = played();
  if (!now.length || forgetting) return;
  const body = new URLSearchParams({ at: Math.round(player.currentTime * 1000), played: JSON.stringify(now) });
  if (String(body) === told) return;
  told = String(body);
  const headers = { "X-CSRFToken": token };
  // keepalive outlives the page, as a beacon does, and may carry the token.
  fetch(place.dataset.url, { method: "POST", body, headers, keepalive: true }).catch(() => (told = ""));
  place.hidden = false;
  tintAll();
}

player.addEventListener("playing", () => {
  if (resume) resume.hidden = true;
  clearInterval(timer);
  timer = setInterval(tell, EVERY_MS);
});
player.addEventListener("pause", () => {
  clearInterval(timer);
  tell();
});
addEventListener("pagehide", tell);
// The player forgets then what it played.
document.addEventListener("desk:source", () => {
  tell();
  before.push(...played());
});
document.addEventListener("visibilitychange", () => document.hidden && tell());

place.querySelector("form").addEventListener("submit", () => (forgetting = true));

resume?.addEventListener("click", (event) => {
  event.preventDefault();
  const at = Number(resume.dataset.at);
  resume.hidden = true;
  seekTo(at);
  player.focus({ preventScroll: true });
});

// --- tinting ---

const near = new Set(); // blocks that are in sight or almost
// A browser that skips blocks out of sight says itself which it lays out; two hundred that are
// watched would be measured in each frame.
const isTold = "oncontentvisibilityautostatechange" in script;
const watcher = new IntersectionObserver(
  (entries) => {
    if (isTold) watcher.disconnect(); // it was asked how things stand, once
    for (const { target, isIntersecting } of entries) come(target, isIntersecting);
  },
  { rootMargin: "300px 0px" },
);
script.addEventListener("contentvisibilityautostatechange", ({ target, skipped }) => {
  if (target.matches("#rows > .block")) come(target, !skipped);
});

function come(block, isNear) {
  if (!isNear) return near.delete(block);
  near.add(block);
  tint(block, [...before, ...played()]);
}

// A line is played when more than half of it is.
function tint(block, stretches) {
  if (!stretches.length) return;
  for (const row of block.children) {
    const middle = (startOf(row) + endOf(row)) * 500; // in milliseconds
    row.classList.toggle("played", stretches.some(([from, to]) => from <= middle && middle < to));
  }
}

function tintAll() {
  const stretches = [...before, ...played()];
  for (const block of near) tint(block, stretches);
}

function watch() {
  watcher.disconnect();
  near.clear();
  for (const block of document.querySelectorAll("#rows > .block")) watcher.observe(block);
}

new MutationObserver((records) => {
  if (records.some(({ target }) => target.id === "rows" || target === script || target.contains(document.getElementById("rows")))) later(watch);
}).observe(script, { childList: true, subtree: true });
later(watch);
