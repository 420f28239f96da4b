// One table of keys: what is pressed, what it asks for, what the overlay and the tooltips say.
//
// A key, or a click on a button with data-command, becomes the event desk:command, with
// detail.name; whoever does it listens on the document. No key counts while somebody types, with
// Ctrl or Meta (but for those in the table), or while a dialog is open. docs/keys.md prints the table; a test compares them.

export const KEYS = [
  { group: "Play", keys: ["Space", "k"], name: "play", says: "Play or pause" },
  { group: "Play", keys: ["l"], name: "shuttle-forward", says: "Play; again for 2× and 4×" },
  { group: "Play", keys: ["j"], name: "shuttle-back", says: "Play backwards; again for 2× and 4×" },
  { group: "Play", keys: [",", "k+j"], name: "frame-back", says: "One frame back", repeats: true },
  { group: "Play", keys: [".", "k+l"], name: "frame-forward", says: "One frame forward", repeats: true },
  { group: "Play", keys: ["<"], name: "slower", says: "Play slower" },
  { group: "Play", keys: [">"], name: "faster", says: "Play faster" },
  { group: "Play", keys: ["c"], name: "captions", says: "Captions on or off" },
  { group: "Play", keys: ["Shift+m"], name: "mute", says: "Sound off or on" },
  { group: "Play", keys: ["f"], name: "full-screen", says: "Full screen" },

  { group: "Move", keys: ["ArrowUp"], name: "row-previous", says: "Previous line", repeats: true },
  { group: "Move", keys: ["ArrowDown"], name: "row-next", says: "Next line", repeats: true },
  { group: "Move", keys: ["ArrowLeft"], name: "back", says: "5 seconds back", repeats: true },
  { group: "Move", keys: ["ArrowRight"], name: "forward", says: "5 seconds forward", repeats: true },
  { group: "Move", keys: ["Home"], name: "to-start", says: "To the start" },
  { group: "Move", keys: ["End"], name: "to-end", says: "To the end" },
  { group: "Move", keys: [..."0123456789"], name: "percent", says: "To 0 % … 90 % of the video" },
  { group: "Move", keys: ["g"], name: "go-to", says: "Go to a time that you type" },

  { group: "Range", keys: ["i"], name: "range-in", says: "In: the range begins at the frame that is shown" },
  { group: "Range", keys: ["o"], name: "range-out", says: "Out: the range ends with the frame that is shown" },
  { group: "Range", keys: ["x"], name: "range-row", says: "The range is the line at the playhead" },
  { group: "Range", keys: ["Alt+x"], name: "range-clear", says: "Clear the range" },
  { group: "Range", keys: ["Alt+i"], name: "range-clear-in", says: "Clear In: the range begins at the start" },
  { group: "Range", keys: ["Alt+o"], name: "range-clear-out", says: "Clear Out: the range ends at the end" },
  { group: "Range", keys: [";", "Shift+i"], name: "to-in", says: "To In" },
  { group: "Range", keys: ["'", "Shift+o"], name: "to-out", says: "To Out" },
  { group: "Range", keys: ["\\"], name: "play-around", says: "Play around the range, or the playhead, and come back" },
  { group: "Range", keys: ["r"], name: "loop", says: "Loop the range" },
  { group: "Range", keys: ["m"], name: "keep-select", says: "Keep the range, or the line, as a select", edits: true },

  { group: "Text", keys: ["/"], name: "find", says: "Find" },
  { group: "Text", keys: ["n"], name: "find-next", says: "Next hit", repeats: true },
  { group: "Text", keys: ["Shift+n"], name: "find-previous", says: "Previous hit", repeats: true },
  { group: "Text", keys: ["e"], name: "edit-row", says: "Correct the line", edits: true },
  { group: "Text", keys: ["Ctrl+z"], name: "undo", says: "Undo your last correction", edits: true },
  { group: "Text", keys: ["Ctrl+Shift+z", "Ctrl+y"], name: "redo", says: "Redo what you undid", edits: true },
  { group: "Text", keys: ["?"], name: "help", says: "These keys" },
];

// Who may only read has no key that changes something; where there is only a player, there is no range
// to set and no text to find or correct.
const reads = document.getElementById("main")?.hasAttribute("data-reads");
const plays = !document.getElementById("range");
const isPlayers = ({ group, name }) => name === "help" || (["Play", "Move"].includes(group) && !["go-to", "captions"].includes(name));
const MINE = KEYS.filter((entry) => !(reads && entry.edits) && !(plays && !isPlayers(entry)));
const BY_KEY = new Map(MINE.flatMap((entry) => entry.keys.map((key) => [key, entry])));
const BY_NAME = new Map(MINE.map((entry) => [entry.name, entry]));

const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]:not([contenteditable=false])";
const PRESSED = "button, summary, input, label, [role=button], [role=tab]"; // Space is theirs
const player = document.getElementById("player");

let pointed = false; // what has the focus got it from a pointer
let held = false; // K is down, and waits for J or L
const taken = new Set(); // keys whose release is ours too

function command(name, more = {}) {
  document.dispatchEvent(new CustomEvent("desk:command", { detail: { name, ...more } }));
}

// --- keys ---

// "k", "Shift+n", "Alt+x", "ArrowLeft", "?"; on a keyboard without Latin letters, by the place.
function keyOf(event) {
  const place = /^Key([A-Z])$/.exec(event.code);
  const foreign = place && event.key.length === 1 && !/[\x20-\x7e]/.test(event.key);
  const key = foreign || (place && event.altKey) ? place[1].toLowerCase() : event.key;
  if (key === " ") return "Space";
  const letter = /^[a-z]$/i.test(key);
  const shift = event.shiftKey && (letter || key.length > 1) ? "Shift+" : "";
  return (isBrowsers(event) ? "Ctrl+" : "") + (isAlt(event) ? "Alt+" : "") + shift + (letter ? key.toLowerCase() : key);
}

// AltGr types characters, as \ on many keyboards, and says that Ctrl and Alt are down. On a Mac Option
// does, which Firefox calls AltGraph: there Alt counts with letters, by their place, and named keys.
const isMac = () => navigator.platform.startsWith("Mac");
const isLetter = (event) => (isMac() ? event.key.length === 1 && !event.code.startsWith("Key") : event.getModifierState("AltGraph"));
const isAlt = (event) => event.altKey && !isLetter(event);
const isBrowsers = (event) => event.metaKey || (event.ctrlKey && !event.getModifierState("AltGraph"));

// Backwards it moves while the player itself is paused: the button knows.
const isStill = () => player.paused && !document.getElementById("play").dataset.plays;

function isElsewhere(event, key) {
  const { target } = event;
  if (!(target instanceof Element)) return false;
  if (target.matches(TYPING) || target.isContentEditable) return true;
  if (document.querySelector("dialog[open], [popover]:popover-open")) return true;
  if (pointed) return false;
  if (target === player) return /^(Space|Arrow.*|Home|End)$/.test(key); // its own controls
  return key === "Space" && target.closest(PRESSED) !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Tab") pointed = false;
  if (event.defaultPrevented || event.isComposing) return;
  const key = keyOf(event);
  if (isElsewhere(event, key)) return;
  const chord = held && event.code !== "KeyK" ? BY_KEY.get(`k+${key}`) : null;
  const entry = chord ?? BY_KEY.get(key);
  if (!entry) return;
  event.preventDefault();
  taken.add(event.code);
  if (event.repeat && !entry.repeats) return;
  if (chord) held = "used";
  // K stops at once, but starts only when it is let go: until then J and L step by frames.
  if (key === "k") held = isStill() || "used";
  if (held !== true) command(entry.name, { key });
});

document.addEventListener("keyup", (event) => {
  if (taken.delete(event.code)) event.preventDefault(); // or a focused button would be pressed
  if (event.code !== "KeyK" && keyOf(event) !== "k") return;
  if (held === true) command("play", { key: "k" });
  held = false;
});
addEventListener("blur", () => (held = false));
document.addEventListener("pointerdown", () => (pointed = true), { capture: true, passive: true });
// A list that a pointer chose from has done its work: the keys play again.
document.addEventListener("change", ({ target }) => pointed && target.matches("#rate, #time-mode") && target.blur());

// --- buttons ---

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-command]");
  if (button) command(button.dataset.command, { button });
});

// A button's tooltip names its key.
function explain(event) {
  const button = event.target.closest?.("[data-command]:not([title])");
  const entry = button && BY_NAME.get(button.dataset.command);
  if (!entry) return;
  button.title = `${entry.says} (${entry.keys.map(written).join(" or ")})`;
  button.setAttribute("aria-keyshortcuts", entry.keys.filter((key) => !key.includes("k+")).join(" ").replaceAll("Ctrl", "Control"));
}
document.addEventListener("pointerover", explain);
document.addEventListener("focusin", explain);

// --- the overlay ---

const SYMBOLS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", "k+j": "K+J", "k+l": "K+L" };

export function written(key) {
  return SYMBOLS[key] ?? key.replace(/(^|\+)[a-z]$/, (letter) => letter.toUpperCase());
}

function element(tag, text = "", ...children) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function keysOf({ keys }) {
  if (keys.length > 3) return [element("kbd", keys[0]), " … ", element("kbd", keys.at(-1))];
  return keys.flatMap((key, n) => [n ? " or " : "", element("kbd", written(key))]);
}

function section(group) {
  const lines = MINE.filter((entry) => entry.group === group).map((entry) =>
    element("div", "", element("dt", "", ...keysOf(entry)), element("dd", entry.says)),
  );
  return element("section", "", element("h3", group), element("dl", "", ...lines));
}

function overlay() {
  const dialog = element("dialog");
  dialog.id = "keys";
  dialog.className = "keyboard";
  dialog.setAttribute("aria-labelledby", "keys-title");
  const title = element("h2", "Keys");
  title.id = "keys-title";
  const close = element("button", "Close");
  const groups = [...new Set(MINE.map((entry) => entry.group))];
  dialog.append(element("header", "", title, close), element("div", "", ...groups.map(section)));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  // The key that opened it closes it.
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "?") return;
    event.preventDefault();
    dialog.close();
  });
  document.body.append(dialog);
  return dialog;
}

document.addEventListener("desk:command", (event) => {
  if (event.detail.name !== "help") return;
  const dialog = document.getElementById("keys") ?? overlay();
  if (!dialog.open) dialog.showModal();
});
