// The transcript over the picture: switched by a button, a key or the player's own menu.
//
// It is off until somebody asks for it, remembered, and read again when lines come or change.

import { keep, kept } from "./kept.js";

const player = document.getElementById("player");
const element = player.querySelector("track");
const button = document.querySelector('[data-command="captions"]');
const AGAIN_MS = 1500;

function set(on) {
  element.track.mode = on ? "showing" : "disabled";
}

function tell() {
  const on = element.track.mode === "showing";
  button?.setAttribute("aria-pressed", String(on));
  keep("captions", on ? "1" : "0");
}

function isText(node) {
  return node.nodeType === Node.ELEMENT_NODE && node.matches(".block, li, li > span:not(.row-tools)");
}

const shownTask = () => document.querySelector("#applied [name=task]")?.value;

// Another transcript may have come in the place of the one whose lines they are.
function isOther() {
  const before = task;
  task = shownTask() ?? before;
  return task !== before;
}

const address = element?.getAttribute("src");
let task = shownTask();
let readings = 0;
let timer = 0;

function readAgain() {
  if (element.track.mode !== "showing") {
    element.dataset.stale = "";
    return;
  }
  clearTimeout(timer);
  timer = setTimeout(() => {
    delete element.dataset.stale;
    readings += 1;
    element.src = `${address}#${readings}`; // the same address is not read again
  }, AGAIN_MS);
}

if (element) {
  document.addEventListener("desk:command", ({ detail }) => {
    if (detail.name === "captions") set(element.track.mode !== "showing");
  });
  player.textTracks.addEventListener("change", () => {
    tell();
    if (element.track.mode === "showing" && "stale" in element.dataset) readAgain();
  });
  new MutationObserver((records) => {
    if (isOther() || records.some((record) => [...record.addedNodes].some(isText))) readAgain();
  }).observe(document.getElementById("script"), { childList: true, subtree: true });
  document.addEventListener("desk:rows", readAgain); // all of them may come anew
  if (kept("captions") === "1") set(true);
  tell();
}
