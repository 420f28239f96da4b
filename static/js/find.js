// Finds words in all lines of the page while they are typed.
//
// All texts, folded (blind to accents, typography and, by itself, case, as videos/folding.py does), are
// one long text with a line each, so that looking for a word is one pass of indexOf. Hits are
// painted by the CSS Custom Highlight API, which changes no element; browsers without it mark
// the line. desk:find (detail.on) tells follow.js to stand still; desk:hits (detail.hits:
// seconds, detail.colours: the number of its word's colour) tells the strip where they are.

import { isComposing } from "./composing.js";
import { firstWhere, later, lines as known } from "./lines.js";
import { paint, paints, span } from "./painted.js";
import { seekTo, startOf, textOf } from "./seek.js";
import { tellWords } from "./words.js";

const COLOURS = 5; // the sixth word has that of the first again
const NUMBERS = 1 << 16; // so many words are told apart: more than an address holds
const form = document.getElementById("find");
const field = document.getElementById("find-words");
const only = document.getElementById("find-only");
const cased = document.getElementById("find-case");
const counted = document.getElementById("find-count");
const legend = document.getElementById("find-terms");
const script = document.getElementById("script");

let lines = []; // the elements
let stale = true; // they or their texts changed: they are to be read again
let blob = ""; // the folded texts, each with a line feed behind it
let exact = false; // upper and lower case are not the same
let plain = false; // places in it are places in the texts
let begins = new Uint32Array(1); // where each line begins in it, and its end

let hits = { at: new Uint32Array(0), line: new Uint32Array(0), word: new Uint16Array(0) };
let words = [];
let patterns = []; // of those words that are no plain ones
let lengths = []; // of those that are
let now = -1; // the hit that was gone to
let sought = -1; // the hit that the player was sent to
let passed = null; // when the hit begins that was gone to, in seconds, once it is among the hits no more
let from = null; // where the reader was: { row, top, focus }
let marked = []; // lines and blocks that carry a class of ours

// --- folding: one letter at a time, so that a place can be traced back ---

const ALIKE = new Map([..."‘’ʼ“”„«»‐‑–—"].map((each, n) => [each, n < 3 ? "'" : n < 8 ? '"' : "-"]));
const ACCENTS = /[\u0300-\u036f]/g;
const UNSEEN = /[\u00ad\u200b-\u200d\u2060\ufeff]/g;
const folded = [new Map(), new Map()]; // blind to case, and not
const QUOTES = /[“”„‟«»＂]/g;
const GAP = "[^\\p{L}\\p{N}\\p{M}_\\n]+"; // a line feed ends a line's text
const GAPS = new RegExp(GAP, "u");
const INSIDE = new RegExp(`(?<=[\\p{L}\\p{N}\\p{M}_])${GAP}(?=[\\p{L}\\p{N}\\p{M}_])`, "u");
const WORD_BEFORE = /[\p{L}\p{N}\p{M}_]$/u;

function foldLetter(letter) {
  const known = folded[Number(exact)].get(letter);
  if (known !== undefined) return known;
  const apart = letter.normalize("NFKD").replace(ACCENTS, "").replace(UNSEEN, "");
  const low = Array.from(apart, (each) => lower(ALIKE.get(each) ?? each)).join("");
  const result = low.replace(ACCENTS, "").normalize("NFC");
  folded[Number(exact)].set(letter, result);
  return result;
}

const lower = (each) => (exact ? each : each.toLowerCase().toUpperCase().toLowerCase());

function fold(text) {
  const found = text.replace(/[^\x00-\x7f]/gu, foldLetter).replace(/\s/g, " ");
  return exact ? found : found.toLowerCase();
}

// Where folded places [begin, end) lie in the text itself: whole letters, with their accents.
function trace(text, begin, end) {
  if (/^[\x00-\x7f]*$/.test(text)) return [begin, end];
  let place = 0;
  let at = 0;
  let first = -1;
  for (const letter of text) {
    const next = place + (letter < "\x80" ? 1 : foldLetter(letter).length);
    if (next > place && place >= end) break;
    if (first < 0 && next > begin) first = at;
    place = next;
    at += letter.length;
  }
  return [first, at];
}

// Words and "quoted phrases", each once: a phrase is its words with a space between them; * ends
// what a word may begin with.
function termsOf(query) {
  const found = new Set();
  for (const [, phrase, star, word] of query.replace(QUOTES, '"').matchAll(/"([^"]*)"?(\*?)|(\S+)/g)) {
    const term = phrase === undefined ? fold(word).trim() : phraseOf(fold(phrase), star);
    if (term) found.add(term);
  }
  return [...found];
}

// What holds no word, as "…", is looked for as it is.
function phraseOf(phrase, star) {
  const found = phrase.split(GAPS).filter(Boolean).join(" ");
  return found ? found + star : phrase.trim().replace(/ +/g, " ");
}

// How a term stands in the text: whatever is between two words of it may be any other gap. Null
// for a plain word, which is found faster without.
function patternOf(term) {
  const parts = bare(term).split(INSIDE);
  if (parts.length === 1) return null;
  return new RegExp(parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|\/-]/g, "\\$&")).join(GAP), "gu");
}

const isStarred = (term) => term.length > 1 && term.endsWith("*");
const bare = (term) => (isStarred(term) ? term.slice(0, -1) : term);

// --- the texts ---

function read() {
  stale = false;
  lines = known().rows;
  const texts = Array.from(lines, (line) => textOf(line)?.data ?? "");
  plain = isPlain(texts);
  // Of plain text nothing changes its length, so all of it is folded at once.
  if (!plain) texts.forEach((text, n) => (texts[n] = fold(text)));
  blob = `${texts.join("\n")}\n`;
  if (plain && !exact) blob = blob.toLowerCase();
  begins = new Uint32Array(lines.length + 1);
  for (let n = 0; n < texts.length; n++) begins[n + 1] = begins[n] + texts[n].length + 1;
}

// ASCII, and no white space but spaces.
const isPlain = (texts) => texts.every((text) => !/[^\x20-\x7e]/.test(text));

// --- looking ---

function places(word, add) {
  for (let at = blob.indexOf(word); at >= 0; at = blob.indexOf(word, at + word.length)) add(at);
}

// Whether a word that began before goes on there. (Two units may be one letter.)
const goesOn = (at) => WORD_BEFORE.test(blob.slice(Math.max(0, at - 2), at));

function lengthOf(hit) {
  const word = hits.word[hit];
  const pattern = patterns[word];
  if (!pattern) return lengths[word];
  pattern.lastIndex = hits.at[hit];
  return pattern.exec(blob)[0].length;
}

// All places of all words, in the order of the text.
function look(terms) {
  const found = [];
  terms.forEach((term, word) => {
    const note = (at) => found.push(at * NUMBERS + word);
    const add = isStarred(term) ? (at) => goesOn(at) || note(at) : note;
    if (patterns[word]) for (const { index } of blob.matchAll(patterns[word])) add(index);
    else places(bare(term), add);
  });
  const sorted = Float64Array.from(found);
  if (terms.length > 1) sorted.sort();
  const line = new Uint32Array(sorted.length);
  let n = 0;
  const at = new Uint32Array(sorted.length);
  const word = new Uint16Array(sorted.length);
  for (let hit = 0; hit < sorted.length; hit++) {
    at[hit] = sorted[hit] / NUMBERS;
    word[hit] = sorted[hit] % NUMBERS;
    while (begins[n + 1] <= at[hit]) n++;
    line[hit] = n;
  }
  return { at, line, word };
}

function search(kept = null) {
  if (stale) read();
  words = termsOf(field.value);
  patterns = words.map(patternOf);
  lengths = words.map((word) => bare(word).length);
  hits = look(words);
  now = kept ? hitAt(kept) : -1;
  paintAll();
  filter();
  say();
  tell();
}

// In other lines: the hit that was gone to is kept as long as its line has it at the same place.
function searchAgain() {
  const kept = now < 0 ? null : placeOf(now);
  const wasSought = sought === now;
  search(kept);
  sought = wasSought ? now : -1;
  if (kept) passed = now < 0 ? kept.start : null;
}

function placeOf(hit) {
  const line = hits.line[hit];
  return { start: startOf(lines[line]), place: hits.at[hit] - begins[line], word: words[hits.word[hit]] };
}

function hitAt({ start, place, word }) {
  const number = words.indexOf(word);
  return hits.line.findIndex((line, hit) =>
    hits.word[hit] === number && hits.at[hit] - begins[line] === place && startOf(lines[line]) === start);
}

function rangeOf(hit) {
  const node = textOf(lines[hits.line[hit]]);
  const begin = hits.at[hit] - begins[hits.line[hit]];
  const end = begin + lengthOf(hit);
  const [startOffset, endOffset] = plain ? [begin, end] : trace(node.data, begin, end);
  return span(node, startOffset, endOffset);
}

const colourOf = (hit) => hits.word[hit] % COLOURS;

function paintAll() {
  if (!paints) return;
  const painted = Array.from({ length: COLOURS }, () => new Highlight());
  for (let hit = 0; hit < hits.at.length; hit++) painted[colourOf(hit)].add(rangeOf(hit));
  for (let colour = 0; colour < COLOURS; colour++) paint(`find-${colour}`, painted[colour]);
  paintNow();
}

function paintNow() {
  const current = new Highlight(...(now < 0 ? [] : [rangeOf(now)]));
  current.priority = 1;
  paint("find-now", current);
}

const { format } = new Intl.NumberFormat("en");

function say() {
  const count = hits.at.length;
  const place = now < 0 || !count ? "" : `${format(now + 1)} / `;
  counted.textContent = words.length ? place + format(count) : "";
  counted.classList.toggle("none", words.length > 0 && !count);
  for (const id of ["find-next", "find-previous"]) document.getElementById(id).disabled = !count;
  legend.hidden = words.length < 2;
  if (legend.hidden) return;
  const each = new Uint32Array(words.length);
  for (const word of hits.word) each[word]++;
  legend.replaceChildren(...words.map((word, n) => {
    const part = document.createElement("span");
    part.dataset.colour = n % COLOURS;
    part.textContent = `${word} ${format(each[n])}`;
    return part;
  }));
}

let telling = 0;

function tell() {
  clearTimeout(telling);
  telling = setTimeout(() => {
    const places = Float64Array.from(hits.line, (line) => startOf(lines[line]));
    const colours = hits.word.map((word) => word % COLOURS);
    document.dispatchEvent(new CustomEvent("desk:hits", { detail: { hits: places, colours } }));
    const address = new URL(location);
    tellWords(address.searchParams);
    if (address.href !== location.href) history.replaceState(history.state, "", address);
  }, 150);
}

// --- only the lines that have all words ---

let guessed = []; // blocks whose height says how many of their lines are shown

// A rule on the container hides lines without our class, and whole blocks without one.
function filter() {
  for (const element of marked) element.classList.remove("hit");
  const blocks = new Map();
  marked = [];
  const on = only.checked && words.length > 0;
  const found = on || !paints ? matching() : [];
  for (const line of found) {
    lines[line].classList.add("hit");
    marked.push(lines[line]);
    const block = lines[line].parentElement;
    blocks.set(block, (blocks.get(block) ?? 0) + 1);
  }
  const rows = document.getElementById("rows");
  // Blocks out of sight guess their height: by the lines that are left in them.
  for (const block of guessed) block.removeAttribute("style");
  guessed = on ? [...blocks.keys()] : [];
  for (const block of guessed) block.style.containIntrinsicBlockSize = `${blocks.get(block) * 31}px`;
  for (const block of blocks.keys()) block.classList.add("hit");
  marked.push(...blocks.keys());
  rows.classList.toggle("only", on);
  countLines(on, found.length);
}

// As the server counts those of a range, and says why there are none.
function countLines(on, found) {
  const place = document.getElementById("count");
  const said = (place.dataset.said ??= place.textContent);
  const [total] = said.split(" of ").reverse();
  const part = total.startsWith(`${format(found)} `) ? total : `${format(found)} of ${total}`;
  place.textContent = on ? part : said;
  document.getElementById("unmatched").hidden = !on || found > 0 || !lines.length;
}

function matching() {
  const found = [];
  const has = new Set();
  for (let hit = 0; hit < hits.at.length; hit++) {
    has.add(hits.word[hit]);
    if (hits.line[hit + 1] === hits.line[hit]) continue;
    if (has.size === words.length) found.push(hits.line[hit]);
    has.clear();
  }
  return found;
}

function matchCase(on) {
  stale ||= on !== exact;
  exact = on;
  cased.setAttribute("aria-pressed", String(on));
}

// --- going to hits, and back ---

function go(hit, seeks = false) {
  if (!hits.at.length) return;
  leave();
  now = (hit + hits.at.length) % hits.at.length;
  passed = null;
  const line = lines[hits.line[now]];
  if (paints) paintNow();
  say();
  if (!only.checked || line.getClientRects().length) scrollTo(line);
  if (seeks) seekTo(startOf(line));
}

// Hits are gone on from the line that the page was opened at.
function standAt(row) {
  now = hits.line.findIndex((line) => lines[line] === row);
  if (row && now < 0) passed = startOf(row);
  if (paints) paintNow();
  say();
}

function scrollTo(line) {
  line.scrollIntoView({ block: "center" });
  // Blocks that were never laid out only guess their height: look again when they are.
  requestAnimationFrame(() => line.scrollIntoView({ block: "center" }));
}

// The first hit is the next one from where the reader is.
function nearest() {
  if (passed !== null) return firstWhere(hits.at.length, (hit) => startOf(lines[hits.line[hit]]) >= passed);
  const row = from?.row;
  if (!row?.isConnected) return 0;
  const before = (hit) => lines[hits.line[hit]].compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING;
  const found = firstWhere(hits.at.length, (hit) => !before(hit));
  return found < hits.at.length ? found : 0;
}

// Remembers where the reader is, once, and tells follow.js to stand still.
function leave() {
  from ??= place();
  document.dispatchEvent(new CustomEvent("desk:find", { detail: { on: true } }));
}

function place() {
  const box = document.getElementById("rows").getBoundingClientRect();
  const y = document.querySelector(".range").getBoundingClientRect().bottom + 4;
  const row = document.elementFromPoint(box.left + box.width / 3, Math.max(y, box.top + 2))?.closest("#rows li");
  return { row, top: row?.getBoundingClientRect().top, scroll: scrollY };
}

// Nobody looks for words any more.
function forget() {
  from = passed = null;
  document.dispatchEvent(new CustomEvent("desk:find", { detail: { on: false } }));
}

function end() {
  const was = from;
  field.value = "";
  only.checked = false;
  search();
  if (was?.row?.isConnected) {
    const back = () => window.scrollBy(0, was.row.getBoundingClientRect().top - was.top);
    back();
    requestAnimationFrame(back);
  } else if (was) window.scrollTo(0, was.scroll);
  forget();
}

// The range's form sticks below ours, however many rows the words take. All lines inherit the height:
// it is told only when it is another.
let height = 45;
new ResizeObserver(() => {
  if (form.offsetHeight === height) return;
  height = form.offsetHeight;
  script.style.setProperty("--find-height", `${height}px`);
}).observe(form);

// --- what people do ---

field.addEventListener("input", () => {
  if (!field.value.trim()) return from ? end() : search();
  from ??= place();
  search();
  go(nearest());
});
// The texts are read when somebody is about to type, not before; and not below hits found in older ones.
field.addEventListener("focus", () => later(() => stale && !words.length && read()));
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("keydown", (event) => {
  if (isComposing(event)) return;
  if (event.key === "Escape") {
    event.preventDefault();
    end();
    field.blur();
  } else if (event.key === "Enter" && event.target === field) {
    event.preventDefault();
    step(event.shiftKey ? -1 : 1, event.altKey);
  }
});
// Whoever went on to the hits by keys, or clicked a line, leaves in the same way.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || isComposing(event)) return;
  if (!from && !field.value.trim()) return;
  if (document.querySelector("dialog[open], [popover]:popover-open, #rows form")) return;
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select, details[open]")) return;
  event.preventDefault();
  end();
});
cased.addEventListener("click", () => {
  matchCase(!exact);
  if (!field.value.trim()) return;
  from ??= place();
  searchAgain();
  if (now < 0) go(nearest());
});
only.addEventListener("change", () => {
  if (stale) searchAgain();
  from ??= place();
  filter();
  tell();
  if (words.length) document.dispatchEvent(new CustomEvent("desk:find", { detail: { on: true } }));
});

function step(by, seeks = false) {
  if (stale) searchAgain();
  if (now < 0) {
    from ??= place();
    return go(nearest(), seeks);
  }
  // Alt+Enter on a hit that was only shown plays it before it goes on.
  if (seeks && sought !== now) return go((sought = now), true);
  go(now + by, seeks);
  if (seeks) sought = now;
}

const COMMANDS = {
  find: () => field.select(),
  "find-next": () => step(1),
  "find-previous": () => step(-1),
};
document.addEventListener("desk:command", ({ detail }) => {
  if (detail.name === "find") field.focus({ preventScroll: true });
  COMMANDS[detail.name]?.();
});

// --- lines that come, go or change; addresses ---

let waiting = 0;

function renew() {
  stale = true;
  // A transcript that was laid aside may come back with some of its lines left out.
  if (!field.value.trim()) return document.querySelector("#rows.only") ? search() : undefined;
  clearTimeout(telling); // of places in lines that are gone
  clearTimeout(waiting);
  waiting = setTimeout(searchAgain, 50);
}
new MutationObserver((records) => {
  const ours = ({ target }) => target.closest?.("#find, form, output") || target.matches?.("#rows li");
  if (!records.every(ours)) renew();
}).observe(script, { childList: true, subtree: true });
document.addEventListener("desk:rows", renew);

addEventListener("popstate", () => {
  const query = new URLSearchParams(location.search);
  const asked = query.get("q") ?? "";
  const same = (query.get("case") === "1") === exact && (query.get("only") === "1") === only.checked;
  if (asked === field.value.trim() && (!asked || same)) return;
  field.value = asked;
  only.checked = asked && query.get("only") === "1";
  if (asked) matchCase(query.get("case") === "1");
  else forget();
  search();
});

// A line's link takes the words along when it is opened elsewhere.
function keepWords({ target }) {
  const link = target.closest?.("#rows li > a");
  if (!link) return;
  const query = new URLSearchParams(link.getAttribute("href").split("#")[0]);
  tellWords(query);
  link.setAttribute("href", `?${query}#now`);
}
for (const name of ["pointerdown", "focusin", "contextmenu"]) document.addEventListener(name, keepWords);

// The server left out the other lines, as it does without scripts: here they are wanted, out of sight.
function whole() {
  const query = new URLSearchParams(document.getElementById("transcript").dataset.query);
  if (!query.has("only")) return;
  only.checked = true;
  query.delete("only");
  const url = `${location.pathname}?${query}`;
  window.htmx?.ajax("GET", url, { target: "#transcript", swap: "outerHTML" });
}

function open() {
  const query = new URLSearchParams(location.search);
  field.value = query.get("q") ?? field.value;
  matchCase(query.get("case") === "1");
  whole();
  if (!field.value.trim()) return;
  search();
  if (query.has("t")) standAt(document.getElementById("now"));
  else go(0);
}
open();
