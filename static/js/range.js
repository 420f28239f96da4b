// The time range is in the address; a line can become the range; links can be copied.

import { copy } from "./clipboard.js";
import { lines } from "./lines.js";
import { endOf, rowFrom, startMs, startOf } from "./seek.js";
import { name as nameOf, parseMoment, timebaseOf } from "./time.js";
import { tellWords } from "./words.js";

const player = document.getElementById("player");
const copied = document.getElementById("copied");
const tools = document.getElementById("row-tools").content.firstElementChild;

const transcript = () => document.getElementById("transcript");
const FILTERS = ["start", "end", "doubt", "gaps"]; // what decides which lines are in the page
const rangeOf = (search) => FILTERS.map((name) => new URLSearchParams(search).get(name) ?? "").join();

// The address of a query, with the words that are looked for now.
function page(query) {
  const asked = new URLSearchParams(query);
  tellWords(asked);
  return location.pathname + (asked.size ? `?${asked}` : "");
}

// By its class: a form that was laid aside while the server answered has no id.
const isRange = (element) => element.matches(".range");

let shown = rangeOf(location.search);
let whole = null; // the transcript that is laid aside
let named = []; // its elements that have ids: [element, id]

// --- the address ---

document.addEventListener("htmx:configRequest", (event) => {
  if (!isRange(event.detail.elt)) return;
  for (const name of ["start", "end"]) {
    if (!event.detail.formData.get(name)?.trim()) event.detail.formData.delete(name);
  }
});
// Until the server answers, blocks that lie outside of the range are out of sight already; that is
// seen before it is asked. On the window: somebody may decline (edit.js).
addEventListener("htmx:confirm", (event) => {
  const { elt, issueRequest } = event.detail;
  if (event.defaultPrevented || !isRange(elt) || transcript().dataset.query) return;
  event.preventDefault();
  foresee(new FormData(elt));
  const ask = () => {
    if (elt.isConnected) return issueRequest();
    foresee(null); // an answer to what was asked for before took the form away
    document.dispatchEvent(new CustomEvent("desk:declined"));
  };
  if (document.hidden) ask();
  else requestAnimationFrame(() => setTimeout(ask));
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (isRange(detail.elt)) foresee(null);
});

let foreseen = []; // blocks that are out of sight for now

function foresee(wanted) {
  for (const block of foreseen) block.hidden = false;
  foreseen = [];
  try {
    if (wanted) foreseen = outside(moment(wanted.get("start"), 0), moment(wanted.get("end"), Infinity));
  } catch {
    // The server says what is wrong with what was typed.
  }
  for (const block of foreseen) block.hidden = true;
}

const main = document.getElementById("main");
const base = timebaseOf(main.dataset);

function moment(text, open) {
  const isRunning = main.dataset.time === "running";
  return text?.trim() ? parseMoment(text, base, player.currentTime * 1000, isRunning) / 1000 : open;
}

function outside(start, end) {
  const { rows, starts, ends } = lines();
  const found = [];
  for (let from = 0, to = 0; from < rows.length; from = to) {
    const block = rows[from].parentElement;
    to = from + block.childElementCount;
    if (starts[from] >= end || ends[to - 1] <= start) found.push(block);
  }
  return found;
}

// The whole transcript stays in the page, out of sight and without its ids, while a range is shown:
// "Clear the range" needs no server then, and ten thousand lines are not taken out and put in again.
// (htmx would also walk through each line that it takes away.)
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, shouldSwap } = event.detail;
  if (!shouldSwap || target.id !== "transcript") return;
  foresee(null);
  held = target.contains(document.activeElement);
  const stand = document.createElement("div");
  stand.id = "transcript";
  if (target.dataset.query || document.querySelector("[data-poll]")) target.replaceWith(stand);
  else layAside(target, stand);
  event.detail.target = stand;
});
// Lines were corrected: what was laid aside is old.
document.addEventListener("desk:rows", () => layAside(null));

function layAside(element, stand) {
  whole?.remove();
  whole = element;
  if (!element) return;
  element.hidden = true;
  named = [element, ...element.querySelectorAll("[id]")].map((each) => [each, each.id]);
  for (const [each] of named) each.removeAttribute("id");
  element.before(stand);
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = event.detail;
  if (!elt.matches(".range a, .filters a") || rangeOf(new URL(elt.href).search) !== rangeOf("")) return;
  if (putBack()) event.preventDefault();
});

// False when there is nothing laid aside, or another transcript was made meanwhile.
function putBack() {
  const task = (element) => element.querySelector("[name=task]").value;
  if (!whole || document.querySelector("[data-poll]") || task(whole) !== task(transcript())) return false;
  if (shown !== rangeOf("")) history.pushState(null, "", page("")); // first: it lays out what has changed
  shown = rangeOf("");
  held = transcript().contains(document.activeElement);
  transcript().remove();
  for (const [each, id] of named) each.id = id;
  whole.hidden = false;
  whole = null;
  document.getElementById("range").reset();
  keepFocus();
  announce();
  return true;
}

document.addEventListener("htmx:afterSwap", (event) => {
  const asked = event.detail.requestConfig?.elt;
  if (!asked?.matches(".range, .range a, .filters a") || event.detail.target.id === "range") return;
  const query = transcript().dataset.query;
  if (rangeOf(query) !== shown) history.pushState(null, "", page(query));
  shown = rangeOf(query);
  scrollToTop();
  keepFocus();
  announce();
});
// Back and forward fetch the lines of that address; the player plays on.
addEventListener("popstate", () => {
  if (rangeOf(location.search) === shown) return;
  if (!document.dispatchEvent(new CustomEvent("desk:leave", { cancelable: true }))) {
    return history.pushState(null, "", page(transcript().dataset.query)); // a line is being corrected
  }
  shown = rangeOf(location.search);
  if (shown === rangeOf("") && putBack()) return;
  const url = new URL(location);
  url.searchParams.delete("only"); // find.js leaves the other lines out
  window.htmx.ajax("GET", url.pathname + url.search, { target: "#transcript", swap: "outerHTML" });
});

// What had the focus may be gone with the old lines: the line that was asked for has it then.
let held = false; // the old lines, or their form, had the focus
let ranged = null; // when the line begins whose range was asked for

function keepFocus() {
  const from = ranged;
  ranged = null;
  if (!held || (document.activeElement && document.activeElement !== document.body)) return;
  (rowFrom(from)?.querySelector("a") ?? document.getElementById("range-show")).focus({ preventScroll: true });
}

// The count comes anew with the lines, and what comes anew is not read out.
function announce() {
  document.getElementById("announce").textContent = document.getElementById("count").textContent;
}

function scrollToTop() {
  const script = document.getElementById("script");
  if (script.getBoundingClientRect().top < 0) script.scrollIntoView({ block: "start" });
}

// --- a line's own tools: one element that goes to the line under the pointer or the focus ---

// Where the window is narrow they stand below the text, and so come by a click only: nothing moves
// while somebody plays or points.
const narrow = matchMedia("(width < 30rem)");

function lend(event) {
  const row = event.target.closest?.("#rows li");
  const isLate = event.type === (narrow.matches ? "pointerover" : "click"); // a pointer came before
  if (!row || tools.parentElement === row || isLate) return;
  // The keyboard's focus would be lost with the tool that has it.
  if (event.type === "pointerover" && tools.querySelector(":focus-visible")) return;
  row.append(tools);
}
for (const name of ["pointerover", "focusin", "click"]) document.addEventListener(name, lend);

const number = (text) => Number(Number(text).toFixed(3));

tools.addEventListener("click", (event) => {
  const act = event.target.closest("[data-row]")?.dataset.row;
  const row = tools.parentElement;
  if (act === "link") copyLink(startOf(row));
  if (act !== "range") return;
  const form = document.getElementById("range");
  ranged = startMs(row);
  form.elements.start.value = startOf(row);
  form.elements.end.value = endOf(row);
  form.requestSubmit();
});

// --- links ---

document.getElementById("copy-link").addEventListener("click", () => copyLink(number(player.currentTime)));

const inWords = (seconds) => nameOf(Math.round(seconds * 1000), base, document.getElementById("main").dataset.time);

async function copyLink(at) {
  const query = transcript().dataset.query;
  const link = location.origin + page(`${query ? `${query}&` : ""}t=${at}`);
  const done = await copy(link);
  copied.textContent = done ? `Copied the link to ${inWords(at)}` : link;
}
