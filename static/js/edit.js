// Corrects lines in place: the server's form stands in the line until it is saved or left.
//
// What comes back is the line with its neighbours as the server writes them; numbers of blocks
// behind it are moved here. Where others split or merged lines meanwhile, so that the page's numbers
// are not the server's, all lines are fetched anew. "desk:rows" on the document says that lines were
// changed. Whoever takes the lines away without htmx asks by "desk:leave", which is prevented when
// somebody stays with what was typed; "desk:declined" tells those who asked for other lines. "desk:hold"
// asks whatever moves the player to stand still.

import { isComposing } from "./composing.js";
import { lines } from "./lines.js";
import { focusedRow } from "./meant.js";
import { announce, AWAY, complain, note } from "./say.js";
import { isSeen, numberOf, rowFrom, startMs } from "./seek.js";
import { dataOf, writeMoment } from "./typed.js";

const player = document.getElementById("player");
const transcript = () => document.getElementById("transcript");

let open = null; // the line that holds the form
let given = ""; // what the form said when it came, to know whether anything was typed
let played = false; // it was playing before the editor began
let busy = false;
let held = false; // newer lines wait until the form is gone
let asked = 0; // the newest wish for a form; answers to older ones come too late

// --- lines and their numbers ---

function rowAt(number) {
  for (const block of document.querySelectorAll("#rows > .block")) {
    const at = number - Number(block.dataset.n);
    if (at >= 0 && at < block.childElementCount) return block.children[at];
  }
  return null;
}

// The next line of the page that is seen, or the one before it (way -1): a filter leaves numbers out.
function seenBeside(number, way) {
  const rows = [...document.querySelectorAll("#rows li")];
  if (way < 0) rows.reverse();
  return rows.find((row) => isSeen(row) && (numberOf(row) - number) * way > 0) ?? null;
}

// Where only some lines are shown, the one that is spoken may not be among them: the next is meant.
// Before anybody played or went anywhere it is the one at the top of the window.
function meantRow() {
  const row = focusedRow() ?? document.querySelector("#rows li[aria-current]") ?? spoken();
  return !row || isSeen(row) ? row : seenBeside(numberOf(row), 1);
}

function spoken() {
  if (!player.currentTime && player.paused) return topRow();
  const { rows, ends } = lines();
  return rows[ends.findIndex((end) => end > player.currentTime)];
}

// --- asking the server ---

const base = () => location.pathname.replace(/[^/]*$/, "");

async function ask(url, body) {
  try {
    const answer = await fetch(url, { method: body ? "POST" : "GET", body, headers: { "HX-Request": "true" } });
    const text = await answer.text();
    const whole = answer.redirected || /^\s*<!doctype/i.test(text); // the sign-in page, or an error's
    return { status: answer.status, root: whole ? null : parse(text), refusal: answer.headers.get("X-Refusal") };
  } catch {
    return { status: 0, root: null, refusal: null };
  }
}

function parse(text) {
  const holder = document.createElement("template");
  holder.innerHTML = text;
  return holder.content;
}

function why(status, refusal) {
  const again = open ? "What you typed is still here; try again." : "Try again.";
  if (refusal) return refusal;
  if (!status) return `The server is not responding. ${again}`;
  if (status === 404) return open ? `${AWAY} Copy what you typed.` : AWAY;
  if (status === 403) return `This page is too old. ${open ? "Copy what you typed and reload it." : "Reload it and try again."}`;
  if (status < 400) return `You are signed out. Sign in in another tab, then ${open ? "save" : "try"} again.`;
  return `The server could not do this. ${again}`;
}

// In the form, as long as there is one.
function say(sentence, kind) {
  const place = document.getElementById("edit-trouble");
  if (place) {
    place.innerHTML = "<p class=error></p>";
    place.firstChild.textContent = sentence;
    place.hidden = false;
  } else {
    complain(sentence, kind);
  }
}

// --- opening and closing ---

const MOVED = "This line was split, merged or moved meanwhile.";

// `goesOn`: from one line to another.
async function edit(row, caret = null, goesOn = open !== null) {
  if (!row || row === open || busy) return;
  const start = startMs(row);
  if (open && !(await save("save"))) return;
  if (!row.isConnected) row = rowFrom(start); // it came anew with the line that was saved
  if (!row) return say(MOVED, "look");
  const number = numberOf(row);
  const wish = ++asked;
  const { status, root, refusal } = await ask(`${base()}rows/${number}/edit?row_start=${start}`);
  if (wish !== asked || open) return;
  if (status === 409) {
    // Lines were split or merged since this page was loaded: fetch them, then go on.
    await reload();
    const moved = rowFrom(start);
    return moved ? edit(moved, caret, goesOn) : say(MOVED, "look");
  }
  const form = root?.querySelector("#edit");
  if (refusal) return note(refusal);
  if (status !== 200 || !form) return say(why(status, refusal), "look");
  if (!row.isConnected) row = rowFrom(start); // all lines came anew meanwhile
  if (!row) return say(MOVED, "look");
  complain("", "look");
  document.dispatchEvent(new CustomEvent("desk:hold"));
  played = !player.paused || (played && goesOn);
  player.pause();
  open = row;
  row.classList.add("editing");
  show(form);
  given = contents(form);
  const text = row.querySelector("textarea");
  const at = caret ?? text.value.length;
  text.setSelectionRange(at, at);
}

function show(form) {
  open.querySelector("form")?.remove();
  open.append(form);
  for (const field of form.querySelectorAll("[data-moment]")) writeMoment(field);
  const text = form.querySelector("textarea");
  text.focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest" });
}

function contents(form) {
  const data = dataOf(form);
  return ["text", "start", "end"].map((name) => data.get(name)).join("\n");
}

function isTouched() {
  return open && contents(open.querySelector("form")) !== given;
}

function close({ focus = true } = {}) {
  const row = open;
  open = null;
  asked++;
  if (row) {
    row.classList.remove("editing");
    row.querySelector("form")?.remove();
    if (focus) row.querySelector("a").focus({ preventScroll: true });
  }
}

// The same when nothing was saved, which would bring newer lines anyway.
async function quit() {
  close();
  if (held) await reload();
}

function goOn() {
  if (played) player.play().catch(() => {});
  played = false;
}

// --- saving ---

// False when the form stays, since something is wrong or somebody was faster. Else the form says
// which number the line has by now.
async function save(deed) {
  const form = open.querySelector("form");
  if (deed === "save" && !isTouched() && !form.querySelector("#edit-trouble p")) {
    await quit();
    return true;
  }
  if (busy) return false;
  const row = open;
  busy = true;
  form.setAttribute("aria-busy", "true");
  const { status, root, refusal } = await ask(`${form.action}?${transcript().dataset.query}`, body(form, deed));
  busy = false;
  form.removeAttribute("aria-busy");
  const again = root?.querySelector("#edit");
  if (status === 200 && root?.querySelector("#saved")) {
    form.dataset.number = root.querySelector("#saved").dataset.first || form.dataset.number;
    close({ focus: false });
    complain("");
    announce("Saved.");
    await take(root);
    rowAt(Number(form.dataset.number))?.querySelector("a").focus({ preventScroll: true });
    return true;
  }
  if (open !== row) return false; // somebody left it meanwhile
  if (again) {
    held ||= status === 409; // somebody changed the line: it is not what the page shows
    const { selectionStart: at } = form.querySelector("textarea");
    show(again);
    again.querySelector("textarea").setSelectionRange(at, at);
  } else {
    say(why(status, refusal));
  }
  return false;
}

function body(form, deed) {
  const text = form.elements.text;
  const data = dataOf(form);
  data.set("text", text.value.replace(/\s/g, " ")); // as long as it was, so the cursor fits
  data.set("at", [...text.value.slice(0, text.selectionStart)].length);
  data.set("deed", deed);
  return data;
}

// Puts what the server answered into the page.
async function take(root) {
  for (const id of ["editing", "filters", "applied"]) {
    const fresh = root.querySelector(`#${id}`);
    if (fresh) document.getElementById(id)?.replaceWith(fresh);
  }
  const more = recount(root.querySelector("#count"));
  window.htmx.process(document.getElementById("filters"));
  document.dispatchEvent(new CustomEvent("desk:rows"));
  const saved = root.querySelector("#saved");
  if (!held && (!saved || (saved.dataset.first !== "" && put(saved, more)))) return;
  await reload();
}

// Its words alone: an element that takes its place says nothing to a screen reader. Gives how many
// lines the transcript has more than the page knew.
function recount(fresh) {
  const count = document.getElementById("count");
  if (!fresh) return 0;
  if (count.textContent !== fresh.textContent) count.textContent = fresh.textContent;
  delete count.dataset.said; // find.js kept it from before
  const more = Number(fresh.dataset.total) - Number(count.dataset.total);
  count.dataset.total = fresh.dataset.total;
  return more;
}

// False when the page does not hold the lines that were changed, as in a range, or when others made
// lines of its own more, fewer or other ones: the transcript has now "more" than the page knew.
function put(saved, more) {
  const [first, was, now] = ["first", "was", "now"].map((name) => Number(saved.dataset[name]));
  const fresh = new Map([...saved.querySelectorAll("li")].map((row) => [numberOf(row), row]));
  const old = Array.from({ length: was }, (_, at) => rowAt(first + at));
  if (old.some((row) => !row) || old.map(startMs).join(" ") !== saved.dataset.starts) return false;
  for (let at = 0; at < now; at++) if (!fresh.has(first + at)) return false;
  if (more !== now - was || !agree(fresh, first, was, now)) return false;
  for (const row of old.slice(now)) takeOut(row);
  let last = old[Math.min(was, now) - 1];
  for (let at = was; at < now; at++) {
    const place = document.createElement("li");
    last.after(place);
    last = place;
  }
  for (const block of document.querySelectorAll("#rows > .block")) {
    if (Number(block.dataset.n) >= first + Math.min(was, now)) block.dataset.n = Number(block.dataset.n) + now - was;
  }
  for (const [number, row] of fresh) replace(rowAt(number), row);
  return true;
}

// Whether the lines beside those that were changed are the page's, as far as it has any.
function agree(fresh, first, was, now) {
  const beside = [...fresh].filter(([number]) => number < first || number >= first + now);
  return beside.every(([number, row]) => {
    const old = rowAt(number < first ? number : number - now + was);
    return !old || startMs(old) === startMs(row);
  });
}

// What other modules know of the old line holds of the new one, until they look again.
function replace(old, row) {
  for (const name of ["hit", "played"]) if (old?.classList.contains(name)) row.classList.add(name);
  old?.replaceWith(row);
}

function takeOut(row) {
  const block = row.parentElement;
  if (block.firstElementChild === row) block.dataset.n = Number(block.dataset.n) + 1;
  row.remove();
  if (!block.childElementCount) block.remove();
}

// All lines anew, with the one at the top of the window where it was, and the focus.
async function reload() {
  held = false;
  const focused = document.activeElement?.closest("#rows li");
  const from = focused && startMs(focused);
  const top = topRow();
  const start = top && startMs(top);
  const before = top?.getBoundingClientRect().top;
  const query = transcript().dataset.query;
  document.dispatchEvent(new CustomEvent("desk:rows"));
  await window.htmx.ajax("GET", location.pathname + (query ? `?${query}` : ""), { target: "#transcript", swap: "outerHTML" });
  document.dispatchEvent(new CustomEvent("desk:rows"));
  if (focused && document.activeElement === document.body) {
    rowFrom(from)?.querySelector("a").focus({ preventScroll: true });
  }
  if (!top || scrollY === 0) return;
  const row = [...document.querySelectorAll("#rows li")].find((each) => startMs(each) >= start);
  for (let turn = 0; turn < 2 && row; turn++) scrollBy(0, row.getBoundingClientRect().top - before);
}

function topRow() {
  const box = document.getElementById("rows").getBoundingClientRect();
  const bar = document.querySelector(".range").getBoundingClientRect();
  return document.elementFromPoint(box.left + box.width / 2, Math.max(bar.bottom, box.top) + 4)?.closest("#rows li");
}

// --- what the editor does ---

document.addEventListener("dblclick", (event) => {
  const row = event.target.closest("#rows li");
  if (!row || row === open || event.target.closest("button, form, a")) return;
  event.preventDefault();
  const selection = getSelection();
  const within = row.children[1]?.contains(selection.anchorNode);
  edit(row, within ? selection.anchorOffset : null);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-row=edit]")) edit(event.target.closest("#rows li"));
  if (event.target.closest("#rows [data-edit=cancel]")) {
    event.preventDefault();
    quit();
    goOn();
  }
});

document.addEventListener("desk:command", (event) => {
  if (event.detail.name === "edit-row") editMeant();
  if (event.detail.name === "undo" || event.detail.name === "redo") step(event.detail.name);
  if (event.detail.name === "replace") location.assign(`${base()}replace`);
});

function editMeant() {
  const row = meantRow();
  if (row) edit(row);
  else note("No line is at the playhead, or behind it.");
}

const DONE = { undo: "Undone.", redo: "Done again." };

function step(name) {
  const form = document.getElementById(name);
  if (form) form.requestSubmit();
  else note(`There is nothing to ${name}.`);
}

// True when nobody is correcting a line any more; else it says why that comes first.
function isFree() {
  if (busy) say("The line is still being saved.");
  else if (isTouched()) {
    say("Save the line that you are correcting, or cancel it, first.");
    open.querySelector("textarea").focus(); // it may be out of sight
  } else if (open) {
    close({ focus: false });
    goOn();
  }
  return !open;
}

async function undoOrRedo(form) {
  const { status, root, refusal } = await ask(`${form.action}?${transcript().dataset.query}`, new FormData(form));
  if (root?.querySelector("#editing")) {
    complain("");
    announce(status === 200 ? DONE[form.id] : root.querySelector("[role=status]").textContent);
    held ||= status === 409; // somebody changed these lines: they are here as they were
    await take(root);
  } else {
    say(why(status, refusal));
  }
  // The pressed button is another one now, or none; a line that had the focus may be, too.
  if (document.activeElement !== document.body) return;
  const buttons = [form.id, "undo", "redo"].map((id) => document.querySelector(`#${id} button`));
  buttons.find(Boolean)?.focus({ preventScroll: true });
}

document.addEventListener("submit", async (event) => {
  if (event.target.id in DONE && transcript()) {
    event.preventDefault();
    if (isFree()) undoOrRedo(event.target);
  } else if (event.target.closest("#rows")) {
    event.preventDefault();
    if (await save(event.submitter?.value ?? "save")) goOn();
  }
});

document.addEventListener("keydown", async (event) => {
  const form = event.target.closest?.("#rows form");
  if (!form || isComposing(event)) return; // Enter chooses a character there
  const typing = event.target.matches("textarea");
  if (event.key === "Escape") {
    event.preventDefault();
    quit();
    goOn();
  } else if (event.key === "Enter" && typing) {
    event.preventDefault();
    if (await save(event.ctrlKey || event.metaKey ? "split" : "save")) goOn();
  } else if (event.key === "ArrowDown" && event.altKey && typing) {
    event.preventDefault();
    form.querySelector(".acts button").focus();
  } else if (event.key === "Tab" && typing) {
    event.preventDefault();
    if (!(await save("save"))) return;
    const next = seenBeside(Number(form.dataset.number), event.shiftKey ? -1 : 1);
    if (next) await edit(next, null, true);
    if (!open) goOn();
  }
});

// A transcript that comes by itself must not take a form away that somebody types into.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (!open || event.detail.target.id !== "transcript") return;
  event.detail.shouldSwap = false;
  held = true;
});
// Who asks for other lines may; what was typed is asked about. False when it stays.
function leave() {
  if (isTouched() && !confirm("Leave the line that you are correcting? What you typed is lost.")) {
    document.dispatchEvent(new CustomEvent("desk:declined"));
    return false;
  }
  // What comes in its place is newer than what waited; what range.js laid aside is not.
  if (held) document.dispatchEvent(new CustomEvent("desk:rows"));
  held = false;
  const left = open;
  close({ focus: false });
  if (left) goOn();
  return true;
}
document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.target.id === "transcript" && !leave()) event.preventDefault();
});
document.addEventListener("desk:leave", (event) => leave() || event.preventDefault()); // Back, Forward
// They may have been asked for before the form came. Before range.js makes room for them.
document.addEventListener(
  "htmx:beforeSwap",
  ({ detail }) => {
    if (detail.target.id === "transcript" && !leave()) detail.shouldSwap = false;
  },
  { capture: true },
);
addEventListener("beforeunload", (event) => {
  if (isTouched()) event.preventDefault();
});
