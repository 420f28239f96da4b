// The bin: drag a select to another place, and play all of them as one cut.

const player = document.getElementById("player");
const reel = document.getElementById("reel");
const says = document.getElementById("reel-says");

const clips = () => [...document.querySelectorAll("#clips .clip")];

// --- order ---

let dragged = null;

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest(".grip");
  if (!grip || event.button) return;
  event.preventDefault();
  dragged = grip.closest(".clip");
  dragged.classList.add("dragged");
  grip.setPointerCapture(event.pointerId);
});
document.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  const over = document.elementFromPoint(event.clientX, event.clientY)?.closest(".clip");
  if (!over || over === dragged) return;
  const { top, height } = over.getBoundingClientRect();
  over[event.clientY < top + height / 2 ? "before" : "after"](dragged);
});
document.addEventListener("pointerup", drop);
document.addEventListener("pointercancel", drop);

function drop() {
  if (!dragged) return;
  dragged.classList.remove("dragged");
  dragged = null;
  const list = document.getElementById("clips");
  const values = { id: clips().map((clip) => clip.dataset.id) };
  window.htmx.ajax("POST", list.dataset.order, { values, target: "#bin", swap: "outerHTML" });
}

// A button that was pressed is gone with the old list: its twin in the new one has the focus.
document.addEventListener("htmx:afterSettle", () => {
  const asked = focused && document.getElementById(focused);
  if (asked && document.activeElement === document.body) asked.focus();
  focused = "";
});
let focused = "";
document.addEventListener("htmx:beforeRequest", () => {
  focused = document.activeElement?.id ?? "";
});

// --- play through ---

let playing = ""; // the id of the select that plays
let onlyOne = false;
let timer = 0;

document.addEventListener("click", (event) => {
  if (event.target.id === "print") print();
  if (event.target.id === "play-all") start(clips()[0], false);
  if (event.target.closest("[data-play]")) start(event.target.closest(".clip"), true);
});

function start(clip, alone) {
  if (!clip) return;
  onlyOne = alone;
  reel.hidden = false;
  playing = clip.dataset.id;
  for (const each of clips()) each.toggleAttribute("aria-current", each === clip);
  const { media, rate, start: from } = clip.dataset;
  document.getElementById("main").dataset.rate = rate;
  const place = clips().indexOf(clip) + 1;
  says.textContent = `Select ${place} of ${clips().length}: ${clip.querySelector("a").textContent}`;
  if (!player.src.endsWith(media)) {
    player.src = media;
    player.addEventListener("loadedmetadata", () => (player.currentTime = Number(from)), { once: true });
  } else {
    player.currentTime = Number(from);
  }
  player.play().catch(() => {}); // the browser may want a click on the player first
}

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
  const clip = document.getElementById(`clip-${playing}`);
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
  const clip = document.getElementById(`clip-${playing}`);
  if (clip) over(clip);
});
player.addEventListener("error", () => {
  if (player.src) says.textContent = "This browser cannot play the file of this select. Its video's page has or makes a copy that it plays.";
});
