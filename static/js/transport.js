// Does what the keys and buttons of the player ask for: play, shuttle, frames, rates, moves.

import { keep, kept } from "./kept.js";
import { note } from "./say.js";
import { duration, seekTo, shownMs } from "./seek.js";
import { frameAt, frameMs, timebaseOf } from "./time.js";

const player = document.getElementById("player");
const main = document.getElementById("main");
const playButton = document.getElementById("play");
const rates = document.getElementById("rate");
const running = document.getElementById("transport-note"); // how fast, while it shuttles

const STEP = 5; // seconds
const RATES = [...rates.options].map((option) => Number(option.value));

let shuttle = 0; // 0 normal; 1, 2, 4 forward; -1, -2, -4 backwards
let timer = 0; // of playing backwards

const go = (seconds) => seekTo(Math.min(Math.max(seconds, 0), duration()));

// --- playing ---

function start() {
  player.play().catch(() => {}); // the page says why by itself
}

// Backwards it moves while the player itself is paused.
const moves = () => !player.paused || shuttle < 0;

function toggle() {
  const moved = moves();
  still();
  if (moved) player.pause();
  else start();
}

// Back to the usual rate, in no direction.
function still() {
  clearTimeout(timer);
  if (!shuttle) return;
  shuttle = 0;
  player.playbackRate = Number(rates.value);
  running.textContent = "";
  show();
}

function next(direction) {
  const faster = shuttle * direction > 0 ? Math.min(Math.abs(shuttle) * 2, 4) : 1;
  // What plays already at the usual rate is at the first step.
  const runs = direction > 0 && !player.paused && !shuttle;
  return direction * (runs ? 2 : faster);
}

function forward() {
  const speed = next(1);
  clearTimeout(timer);
  shuttle = speed;
  player.playbackRate = speed === 1 ? Number(rates.value) : speed;
  if (speed === 1) shuttle = 0;
  running.textContent = speed === 1 ? "" : `${speed}× forward`;
  start();
}

// No browser plays backwards: it jumps, as soon as the jump before it is done.
function backwards() {
  const speed = next(-1);
  player.pause();
  clearTimeout(timer);
  shuttle = speed;
  player.playbackRate = Number(rates.value);
  running.textContent = `${-speed}× backwards`;
  show();
  jump(performance.now());
}

function jump(before) {
  timer = setTimeout(() => {
    if (player.seeking) return jump(before);
    const since = (performance.now() - before) / 1000;
    const at = Math.max(0, player.currentTime + Math.min(since, 1) * shuttle);
    player.currentTime = at;
    if (at === 0) still();
    else jump(performance.now());
  }, 120);
}

function frame(step) {
  const base = timebaseOf(main.dataset); // in the bin that of the select that plays
  still();
  player.pause();
  const shown = frameAt(shownMs(), base.rate);
  go(frameMs(Math.max(0, shown + step), base.rate) / 1000);
}

// --- rates: remembered ---

function setRate(rate) {
  if (!RATES.includes(rate)) return;
  rates.value = String(rate);
  player.defaultPlaybackRate = rate;
  if (!shuttle) player.playbackRate = rate;
  keep("rate", String(rate));
}

function otherRate(step) {
  const at = RATES.indexOf(Number(rates.value)) + step;
  if (RATES[at]) setRate(RATES[at]);
}

// --- what is asked for ---

function mute() {
  player.muted = !player.muted;
  note(player.muted ? "Sound off" : "Sound on");
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else player.requestFullscreen?.().catch(() => {});
}

const COMMANDS = {
  play: toggle,
  "shuttle-forward": forward,
  "shuttle-back": backwards,
  "frame-back": () => frame(-1),
  "frame-forward": () => frame(1),
  slower: () => otherRate(-1),
  faster: () => otherRate(1),
  mute,
  "full-screen": fullScreen,
  back: () => go(player.currentTime - STEP),
  forward: () => go(player.currentTime + STEP),
  "to-start": () => go(0),
  "to-end": () => go(duration()),
  percent: ({ key }) => go((duration() * Number(key)) / 10),
};

document.addEventListener("desk:command", ({ detail }) => COMMANDS[detail.name]?.(detail));
document.addEventListener("desk:hold", still);
rates.addEventListener("change", () => setRate(Number(rates.value)));

function show() {
  playButton.dataset.plays = moves() ? "1" : "";
  playButton.setAttribute("aria-label", moves() ? "Pause" : "Play");
}
player.addEventListener("play", () => {
  if (shuttle < 0 && !player.paused) still(); // this may be told late, when J paused it already
  show();
});
player.addEventListener("pause", () => {
  if (shuttle > 0) still();
  show();
});
// The player's own menu has rates, too.
player.addEventListener("ratechange", () => shuttle || setRate(player.playbackRate));

setRate(Number(kept("rate")) || 1);
show();
