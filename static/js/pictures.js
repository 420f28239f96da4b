// Thumbnails from the one sheet: over the strip, over a line's timecode and, when wished, in the lines.
//
// The sheet is fetched when the first of them is asked for. Lines get theirs block by block as
// they come near, and their frames have their size from the beginning: nothing moves.

import { keep, kept } from "./kept.js";
import { startOf } from "./seek.js";

const player = document.getElementById("player");
const script = document.getElementById("script");
const toggle = document.getElementById("pictures");
const FRAME = matchMedia("(width < 30rem)").matches ? [60, 40] : [80, 48]; // a line's, at most
const GAP = 10; // between the pointer and the preview
const AGAIN_MS = 2000;

let sheet = null; // {url, count, columns, interval_ms, width, height}, or the promise of it
let address = "";

// --- the sheet ---

function load() {
  const url = document.getElementById("derived")?.dataset.sprite;
  if (!url) return Promise.resolve(null);
  if (url !== address) {
    address = url;
    sheet = fetch(url).then(read).catch(forget);
  }
  return sheet;
}

// It is asked for again, if not for each move of a pointer.
function forget() {
  setTimeout(() => (address = ""), AGAIN_MS);
  return null;
}

async function read(answer) {
  if (!answer.ok) throw new Error(answer.status);
  const map = await answer.json();
  const image = new Image();
  image.src = map.url;
  await image.decode();
  return map;
}

// The place of the thumbnail for a moment, in tiles from the left and from the top.
function place(map, seconds) {
  const number = Math.min(Math.max(Math.round((seconds * 1000) / map.interval_ms), 0), map.count - 1);
  return [number % map.columns, Math.floor(number / map.columns)];
}

function background(map, seconds, scale) {
  const [column, row] = place(map, seconds);
  return `${-column * map.width * scale}px ${-row * map.height * scale}px`;
}

// --- the preview ---

const preview = document.createElement("div");
preview.className = "preview";
preview.hidden = true;
preview.setAttribute("aria-hidden", "true"); // the strip and the lines say their times themselves
document.body.append(preview);
let wanted = null;

async function show(detail) {
  wanted = detail;
  const map = await load();
  if (wanted !== detail) return; // the pointer is elsewhere by now
  preview.hidden = !map;
  if (!map) return;
  const { at, x, y, beside } = detail;
  preview.style.width = `${map.width}px`;
  preview.style.height = `${map.height}px`;
  preview.style.backgroundImage = `url("${map.url}")`;
  preview.style.backgroundPosition = background(map, at, 1);
  const left = beside ? x + GAP : x - map.width / 2;
  const top = beside ? y - map.height / 2 : y - map.height - GAP;
  preview.style.left = `${clamp(left, innerWidth - map.width)}px`;
  preview.style.top = `${clamp(top < GAP && !beside ? y + 2 * GAP : top, innerHeight - map.height)}px`;
}

function clamp(value, most) {
  return Math.min(Math.max(value, 4), Math.max(most - 4, 4));
}

function hide() {
  wanted = null;
  preview.hidden = true;
}

document.addEventListener("desk:hover", ({ detail }) => {
  if (detail?.at === null || detail?.at === undefined) hide();
  else show(detail);
});
document.addEventListener("pointerover", (event) => {
  const link = event.pointerType === "mouse" && event.target.closest?.("#rows li > a");
  if (!link || toggle?.checked) return;
  const box = link.getBoundingClientRect();
  show({ at: startOf(link.parentElement), x: box.right, y: box.top + box.height / 2, beside: true });
  link.addEventListener("pointerleave", hide, { once: true });
});
addEventListener("scroll", () => preview.hidden || hide(), { passive: true }); // said again it would cost a frame

// --- the lines ---

function paint(block, map) {
  const scale = frameHeight() / map.height;
  for (const row of block.children) {
    row.style.setProperty("--tile", background(map, startOf(row), scale));
  }
}

function frameHeight() {
  return Math.min(FRAME[1], Math.round((FRAME[0] * player.height) / player.width) || FRAME[1]);
}

let near = null;

async function begin() {
  script.style.setProperty("--frame-height", `${frameHeight()}px`);
  script.style.setProperty("--frame-width", `${Math.round((frameHeight() * player.width) / player.height) || FRAME[0]}px`);
  script.classList.add("pictures");
  const map = await load();
  if (!map || !toggle.checked) return;
  const scale = frameHeight() / map.height;
  script.style.setProperty("--sheet", `url("${map.url}")`);
  const rows = Math.ceil(map.count / map.columns);
  script.style.setProperty("--sheet-size", `${map.columns * map.width * scale}px ${rows * map.height * scale}px`);
  near?.disconnect();
  near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) if (entry.isIntersecting) paint(entry.target, map);
    },
    { rootMargin: "1000px 0px" },
  );
  watch(script);
}

function watch(part) {
  if (part.matches(".block")) near?.observe(part);
  for (const block of part.querySelectorAll(".block")) near?.observe(block);
}

function end() {
  script.classList.remove("pictures");
  near?.disconnect();
  near = null;
}

if (toggle) {
  toggle.checked = kept("pictures") === "1";
  toggle.addEventListener("change", () => {
    keep("pictures", toggle.checked ? "1" : "0");
    if (toggle.checked) begin();
    else end();
  });
  if (toggle.checked) begin();
  // Lines come while the task runs, go with a range and change with a correction.
  new MutationObserver((records) => {
    if (!near) return;
    for (const { target, addedNodes } of records) {
      if (target.matches(".block")) {
        near.unobserve(target); // observing anew tells of it once more
        near.observe(target);
      } else if (!target.closest("li")) {
        for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) watch(node);
      }
    }
  }).observe(script, { childList: true, subtree: true });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "derived" && toggle.checked && !near) begin();
  });
}
