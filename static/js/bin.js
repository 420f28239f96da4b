// The bin: drag a select to another place, and play all of them as one cut.

import { carryOver, remember } from "./carry.js";
import { seekTo } from "./seek.js";

const player = document.getElementById("player");
const reel = document.getElementById("reel");
const says = document.getElementById("reel-says");

const clips = () => [...document.querySelectorAll("#clips .clip")];

// --- order ---

const EDGE = 60; // pixels at the top and the bottom of what is seen, where dragging scrolls
let drag = null; // { clip, next, y }: what is dragged, the clip that it stood before, the pointer

document.addEventListener("pointerdown", (event) => {
  const clip = event.target.closest(".grip")?.closest(".clip");
  if (!clip || drag || event.button) return;
  event.preventDefault();
  drag = { clip, next: clip.nextElementSibling, y: event.clientY };
  clip.classList.add("dragged");
  clip.parentElement.setPointerCapture(event.pointerId); // the list stays; the grip moves
  requestAnimationFrame(scroll);
});
document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  drag.y = event.clientY;
  follow();
});
document.addEventListener("pointerup", () => drag && drop());
document.addEventListener("pointercancel", () => drag && putBack(letGo()));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && drag) putBack(letGo());
});

function follow() {
  const { clip, y } = drag;
  if (!clip.isConnected) return letGo(); // the server's list came meanwhile
  const { left, width } = clip.parentElement.getBoundingClientRect();
  const over = document.elementFromPoint(left + width / 2, y)?.closest(".clip");
  if (!over || over === clip) return;
  const { top, height } = over.getBoundingClientRect();
  over[y < top + height / 2 ? "before" : "after"](clip);
}

function scroll() {
  if (!drag) return;
  const top = reel.hidden ? 0 : Math.max(0, reel.getBoundingClientRect().bottom);
  const by = Math.min(0, drag.y - top - EDGE) + Math.max(0, drag.y - innerHeight + EDGE);
  if (by) {
    scrollBy(0, by / 4);
    follow();
  }
  requestAnimationFrame(scroll);
}

function letGo() {
  const was = drag;
  was.clip.classList.remove("dragged");
  drag = null;
  return was;
}

const putBack = ({ clip, next }) => clip.isConnected && clip.parentElement.insertBefore(clip, next);

async function drop() {
  const was = letGo();
  if (!was.clip.isConnected || was.clip.nextElementSibling === was.next) return;
  const { order } = was.clip.parentElement.dataset;
  // Not the whole order as this page knows it: somebody else may have ordered the bin since.
  const before = was.clip.nextElementSibling?.dataset.id ?? "";
  if (!(await send(order, { id: was.clip.dataset.id, before }))) putBack(was);
}

// --- deeds, one after the other: the answer to one takes away the forms of those behind it ---

let last = Promise.resolve();
let asked = ""; // what the deed that is being done was sent to

document.addEventListener("submit", (event) => {
  const form = event.target.closest("#bin form");
  if (!form || !window.htmx) return;
  event.preventDefault();
  event.stopPropagation(); // htmx would send it at once, or drop it
  const heirs = heirsOf(form.closest(".clip")?.dataset.id, event.submitter);
  send(form.action, Object.fromEntries(new FormData(form, event.submitter)), heirs);
}, true);

// False when the server did not do it. Of `heirs` the first that is there has the focus, should it be gone.
function send(url, values, heirs = []) {
  const deed = async () => {
    const bin = document.getElementById("bin");
    const before = new Set(clips().map((clip) => clip.id));
    const named = { ...values, bin: bin.dataset.index }; // the video may be in another by now
    asked = new URL(url, location).pathname;
    // Until then htmx gives the new list the attributes of the old one: also "disabled".
    const settled = new Promise((ok) => document.addEventListener("htmx:afterSettle", ok, { once: true }));
    await window.htmx.ajax("POST", url, { values: named, target: bin, swap: "outerHTML" });
    if (bin.isConnected) return false;
    await settled;
    if (document.activeElement.matches("body, :disabled")) inherit(heirs, before);
    return true;
  };
  last = last.then(deed).catch(() => false); // page.js says why
  return last;
}

const isAsked = (form) => form.getAttribute("action") === asked;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id === "bin") remember(detail.target, isAsked);
});
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id === "bin") carryOver(document.getElementById("bin"));
});

function heirsOf(id, button) {
  if (!id) return []; // what is put back is new
  if (button?.name === "by") return [`#${button.id}:enabled`, `#up-${id}:enabled`, `#down-${id}:enabled`];
  return [`#clip-${id} [role=alert] ~ label input`, `#clip-${id} summary`, ".removed button"];
}

function inherit(heirs, before) {
  const fresh = clips().find((clip) => !before.has(clip.id));
  const heir = heirs.map((each) => document.querySelector(each)).find(Boolean) ?? fresh?.querySelector("a");
  heir?.focus();
}

// --- play through ---

let playing = ""; // the id of the select that plays
let place = 0; // where it stands
let onlyOne = false;
let timer = 0;

const current = () => document.getElementById(`clip-${playing}`);

document.addEventListener("click", (event) => {
  if (event.target.id === "print") print();
  if (event.target.id === "play-all") start(clips()[0], false);
  if (event.target.closest("[data-play]")) start(event.target.closest(".clip"), true);
});

function start(clip, alone) {
  if (!clip) return;
  show(clip, alone);
  player.play().catch(() => {}); // the browser may want a click on the player first
}

function show(clip, alone) {
  onlyOne = alone;
  reel.hidden = false;
  playing = clip.dataset.id;
  mark();
  const { media, rate, start: from } = clip.dataset;
  document.getElementById("main").dataset.rate = rate;
  says.textContent = `Select ${place + 1} of ${clips().length}: ${clip.querySelector("a").textContent}`;
  if (player.src.endsWith(media)) seekTo(Number(from));
  else player.src = media;
}
// Where a file's first select began may be another by the time that the file is there.
player.addEventListener("loadedmetadata", () => {
  const clip = current();
  if (clip) seekTo(Number(clip.dataset.start));
});

function mark() {
  for (const clip of clips()) {
    if (clip.dataset.id === playing) clip.setAttribute("aria-current", "true");
    else clip.removeAttribute("aria-current");
  }
  if (current()) place = clips().indexOf(current());
}

// What plays may have been taken out: the select that took its place goes on, if one did.
document.addEventListener("htmx:afterSettle", () => {
  mark();
  if (!playing || current()) return;
  const heir = clips()[place];
  const goesOn = heir && !onlyOne && !player.paused;
  if (!goesOn) player.pause();
  if (heir) (goesOn ? start : show)(heir, onlyOne);
  else [playing, reel.hidden] = ["", true];
});

// The keys of the viewer; its lines are selects here. Space begins with the first: this module hears
// of it behind transport.js, which would stop again what plays already.
const beside = (step) => clips()[clips().findIndex((clip) => clip.dataset.id === playing) + step];

const COMMANDS = {
  "row-previous": () => start(beside(-1), false),
  "row-next": () => start(beside(1), false),
  play: () => reel.hidden && start(clips()[0], false),
};
document.addEventListener("desk:command", ({ detail }) => COMMANDS[detail.name]?.());

// Sleeps until the select's end instead of asking several times a second.
function watch() {
  clearTimeout(timer);
  const clip = current();
  if (!clip || player.paused || player.seeking) return;
  const left = Number(clip.dataset.end) - player.currentTime;
  if (left <= 0.01) return over(clip);
  timer = setTimeout(watch, Math.min((left * 1000) / player.playbackRate, 60_000));
}

function over(clip) {
  const next = clips()[clips().indexOf(clip) + 1];
  if (onlyOne || !next) return player.pause();
  start(next, false);
}

for (const name of ["playing", "seeked", "ratechange", "pause"]) player.addEventListener(name, watch);
player.addEventListener("ended", () => {
  const clip = current();
  if (clip) over(clip);
});
player.addEventListener("error", () => {
  if (player.src) says.textContent = "This browser cannot play the file of this select. Its video's page has or makes a copy that it plays.";
});
