// Sends files one after the other and tells how far each one is; large ones in parts, which go on
// after a break. Without it the form works as it is.

import { onDrop } from "./drop.js";
import { noCaptions, Refused, sendInParts, unreadable } from "./parts.js";
import { AWAY } from "./say.js";

const form = document.getElementById("upload");
const section = document.getElementById("uploads");
const queue = document.getElementById("queue");
const sum = document.getElementById("uploads-sum");
const template = document.getElementById("queue-row");

const items = []; // every file of this page, in order
const CAPTIONS = /\.(srt|vtt|json)$/i;
const MAYBE = "The connection broke after the file was sent. It may have arrived: look in the library, or try again. It is never kept twice.";
const FIELDS = ["csrfmiddlewaretoken", "index", "new_index", "language"];
const isLarge = (item) => item.file.size >= Number(form.dataset.partsFrom);
const stem = (name) => name.replace(/\.[^.]*$/, "").toLowerCase();

// --- files come in ---

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const chosen = form.elements.file.files;
  if (!chosen.length) return;
  add([...chosen], [...form.elements.captions.files]);
  form.elements.file.value = form.elements.captions.value = "";
});

onDrop((files) => {
  document.getElementById("upload-fold")?.setAttribute("open", "");
  const videos = files.filter((file) => !CAPTIONS.test(file.name));
  const captions = files.filter((file) => CAPTIONS.test(file.name));
  if (!videos.length) return captions.forEach((file) => offer(file, keepCaptions));
  add(videos, [...captions, ...form.elements.captions.files]);
  form.elements.captions.value = ""; // they waited for these, not for the next
});

// Captions that are dropped alone wait in their field for a video.
function keepCaptions(file) {
  const transfer = new DataTransfer();
  for (const each of [...form.elements.captions.files, file]) transfer.items.add(each);
  form.elements.captions.files = transfer.files;
}

// --- captions for a video that is here already ---

const offers = []; // captions files that wait for an answer

async function offer(file, otherwise) {
  const query = new URLSearchParams({ name: file.name, index: form.dataset.index });
  const answer = await fetch(`${form.dataset.owner}?${query}`, { headers: { Accept: "application/json" } })
    .then((found) => found.json())
    .catch(() => null);
  if (!answer?.video) return otherwise(file);
  const item = { file, video: answer.video };
  draw(item);
  offers.push(item);
  section.hidden = false;
  count();
  propose(item, `There is a video of this name in ${item.video.index}: ${item.video.name}. Its transcript so far is kept.`);
}

function propose(item, sentence) {
  item.state = item.row.className = "offered";
  say(item, sentence);
  buttons(item);
  item.row.querySelector("[data-act=give]").focus({ preventScroll: true });
}

async function give(item) {
  item.state = "giving";
  buttons(item);
  const body = new FormData();
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.append("captions", item.file);
  const unread = await noCaptions(item.file);
  if (unread) return refuse(item, unread);
  const answer = await fetch(item.video.give, { method: "POST", body, headers: { Accept: "application/json" } })
    .then(heard)
    .catch(() => ({ unheard: NOT_GIVEN }));
  if (answer.unheard) return propose(item, answer.unheard);
  if (!answer.ok) return refuse(item, answer.message);
  finish(item, { url: item.video.url });
  item.row.className = "given";
  say(item, answer.message);
}

const NOT_GIVEN = "The server could not take these captions. Trying again may help.";

async function heard(found) {
  if (found.ok && !found.redirected) return found.json();
  const status = found.redirected ? 200 : found.status; // the page to sign in
  return { unheard: found.headers.get("X-Refusal") ?? (status === 404 ? AWAY : sentences[status]) ?? NOT_GIVEN };
}

function keep(item) {
  keepCaptions(item.file);
  offers.splice(offers.indexOf(item), 1);
  item.row.remove();
  section.hidden = !queue.childElementCount;
  form.elements.captions.focus();
}

function add(files, captions) {
  const limit = Number(form.dataset.maxFiles);
  const fields = new FormData(form);
  const alone = files.length === 1 && captions.length === 1;
  files.forEach((file, position) => {
    const own = alone ? captions[0] : captions.find((each) => stem(each.name) === stem(file.name));
    const item = { file, captions: own, fields, key: crypto.randomUUID?.() ?? fallbackKey(), state: "waiting" };
    draw(item);
    items.push(item);
    if (position >= limit) refuse(item, `Send at most ${limit} files at once.`);
    else if (file.size > Number(form.dataset.maxBytes)) refuse(item, `This file is too large: ${bytes(file.size)}. The limit is ${form.dataset.maxSize} a file.`);
    else if (file.size === 0) refuse(item, "This file is empty.");
    else say(item, "Waiting");
  });
  for (const file of alone ? [] : captions) {
    if (files.some((each) => stem(each.name) === stem(file.name))) continue;
    offer(file, refuseStranger);
  }
  section.hidden = false;
  section.scrollIntoView({ block: "nearest" }); // the form may fill the window
  next();
}

function refuseStranger(file) {
  const item = { file, state: "refused" };
  draw(item);
  refuse(item, "These captions belong to none of the files: give both the same name.");
}

// crypto.randomUUID needs https or this machine.
function fallbackKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// --- one after the other ---

async function next() {
  count();
  if (items.some((item) => item.state === "sending")) return;
  const item = items.find((each) => each.state === "waiting");
  if (!item) return;
  item.state = "sending";
  const attempt = (item.attempt = {});
  const why = isLarge(item) ? "" : await refusal(item); // a large one is asked about as it begins
  // Cancelled meanwhile, and perhaps tried again already: that attempt sends it, not this one.
  if (item.attempt !== attempt || item.state !== "sending") return next();
  if (why) {
    refuse(item, why);
    return next();
  }
  (isLarge(item) ? sendLarge : send)(item);
}

// Asked before gigabytes are sent for nothing.
async function refusal({ file, captions, fields }) {
  const unread = (await unreadable(file)) || (await noCaptions(captions));
  if (unread) return unread;
  const query = new URLSearchParams({ size: file.size, name: file.name });
  for (const name of ["index", "new_index", "language"]) query.append(name, fields.get(name) ?? "");
  if (captions) query.delete("language"); // nobody listens then
  try {
    const answer = await fetch(`${form.dataset.check}?${query}`, { headers: { Accept: "application/json" } });
    return (await answer.json()).message;
  } catch {
    return ""; // the upload itself will say it
  }
}

function send(item) {
  const body = new FormData();
  for (const name of FIELDS) body.append(name, item.fields.get(name) ?? "");
  body.append("upload_key", item.key);
  if (item.captions) body.append("captions", item.captions);
  body.append("file", item.file);

  const request = (item.request = new XMLHttpRequest());
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  start(item);
  request.upload.onprogress = (event) => progress(item, event.loaded, event.total);
  request.upload.onload = () => arrive(item);
  request.onload = () => settle(item, request);
  request.onerror = () => fail(item, item.arrived ? MAYBE : "The connection broke, so nothing was kept.");
  request.onabort = () => fail(item, "Cancelled.");
  request.send(body);
  draw(item);
}

// Its bytes are counted from here on; those before are there already.
function start(item, sent = 0) {
  item.started = item.last = performance.now();
  [item.sent, item.rate, item.arrived] = [sent, 0, false];
  say(item, "Sending");
}

// From here on the server decides, whether this page waits or not.
function arrive(item) {
  item.arrived = true;
  item.row.querySelector("progress").removeAttribute("value");
  say(item, "Checking the file");
  buttons(item);
  count();
}

async function sendLarge(item) {
  const { signal } = (item.stop = new AbortController());
  const fields = Object.fromEntries(FIELDS.map((name) => [name, item.fields.get(name) ?? ""]));
  start(item);
  draw(item);
  buttons(item);
  try {
    const options = { url: form.dataset.parts, signal, tell: listener(item, signal) };
    const result = await sendInParts(item.file, fields, item.captions, options);
    if (signal.aborted) return; // whoever stopped it said so
    if (result.ok) finish(item, result);
    else refuse(item, result.message);
  } catch (error) {
    if (signal.aborted) return;
    return fail(item, error instanceof Refused ? error.message : "Something went wrong on this page. Trying again goes on where it stopped.");
  }
  next();
}

function listener(item, signal) {
  const meter = item.row.querySelector("progress");
  return {
    begun({ id, url }, sent) {
      [item.parts, item.kept] = [url, sent];
      start(item, sent);
      meter.value = sent / item.file.size;
      forgetInterrupted(id);
    },
    kept: (sent) => (item.kept = sent),
    progress: (sent) => signal.aborted || progress(item, sent, item.file.size),
    broken(sent) {
      if (signal.aborted) return;
      start(item, sent);
      if (item.parts) meter.value = sent / item.file.size;
      say(item, `The connection broke; going on at ${bytes(sent)} as soon as it is back.`);
      buttons(item);
    },
    arrived: () => signal.aborted || arrive(item),
    unanswered: () => say(item, "All of it is sent. Asking the server again what became of it."),
  };
}

// The page's list says of this file that it waits; it does not any more.
function forgetInterrupted(id) {
  const row = document.getElementById(`interrupted-${id}`);
  const list = row?.parentElement;
  row?.remove();
  if (list && !list.childElementCount) list.remove();
}

function pause(item) {
  item.stop.abort();
  item.state = item.row.className = "paused";
  say(item, `Paused at ${bytes(item.kept ?? 0)}.`);
  buttons(item);
  next();
}

// What was sent of it is not wanted any more.
function discard(item) {
  item.stop?.abort();
  if (!item.parts) return;
  const headers = { Accept: "application/json", "X-CSRFToken": item.fields.get("csrfmiddlewaretoken") };
  fetch(`${item.parts}discard`, { method: "POST", headers, keepalive: true }).catch(() => {});
  [item.parts, item.kept] = [null, 0];
}

function progress(item, sent, total) {
  const now = performance.now();
  item.row.querySelector("progress").value = sent / total;
  if (now - item.last < 250 && sent < total) return;
  const rate = ((sent - item.sent) * 1000) / Math.max(now - item.last, 1);
  item.rate = item.rate ? item.rate * 0.8 + rate * 0.2 : rate;
  [item.last, item.sent] = [now, sent];
  const parts = [`${bytes(sent)} of ${bytes(total)}`, `${bytes(item.rate)}/s`];
  if (now - item.started > 1500 && item.rate > 0) parts.push(`${lasts((total - sent) / item.rate)} left`);
  say(item, "Sending", parts.join(" · "));
}

function settle(item, request) {
  const result = answerOf(request);
  if (!result) fail(item, request.getResponseHeader("X-Refusal") ?? sentences[request.status] ?? "The server could not take this file. Trying again may help.");
  else if (result.ok) finish(item, result);
  else (result.again ? fail : refuse)(item, result.message);
  next();
}

// Null when it is no answer of the upload view: a page of an error, or the sign-in page.
function answerOf(request) {
  try {
    return JSON.parse(request.responseText).results[0];
  } catch {
    return null;
  }
}

const sentences = {
  200: "You were signed out. Reload the page and sign in.",
  403: "This page is too old. Reload it and send the file again.",
  413: "This file is larger than the server takes.",
};

function finish(item, result) {
  item.state = "done";
  item.row.className = "done";
  const link = document.createElement("a");
  link.href = result.url;
  link.textContent = item.file.name;
  item.row.querySelector(".name").replaceChildren(link);
  say(item, "");
  buttons(item);
  if (!item.key) relist(); // captions: their video has been in the list
  else if (document.getElementById("listing")) relist().then(() => showState(item, result.id));
  else showState(item, result.id);
}

// The list and its counts as they are now, fetched once for all who wait.
async function relist() {
  if (!document.getElementById("listing")) return;
  await (relisting ??= untilFree().then(() => {
    relisting = null;
    return window.htmx.ajax("GET", location.href, { target: "#listing", swap: "outerHTML" });
  }));
}
let relisting = null;

// An open question in the list and what somebody types there are not taken away.
async function untilFree() {
  const fields = "#listing :is(input:not([type=checkbox], [type=hidden]), select)";
  const isUsed = (field) => field.value || field === document.activeElement;
  while (document.querySelector("#listing :popover-open") || [...document.querySelectorAll(fields)].some(isUsed)) {
    await new Promise((ok) => setTimeout(ok, 500));
  }
}

// In the item's own row, unless the page's list shows the video.
function showState(item, id) {
  const meter = item.row.querySelector("progress");
  if (document.getElementById(`state-${id}`)) return meter.remove();
  const state = document.createElement("div");
  state.id = `state-${id}`;
  const unseen = document.createElement("span"); // lists show a poster, this row does not
  unseen.hidden = true;
  unseen.append(Object.assign(document.createElement("span"), { id: `poster-${id}` }));
  meter.replaceWith(state, unseen);
  // The answer fills the state in and arms the page's polling.
  window.htmx.ajax("GET", `${form.dataset.states}?id=${id}`, { target: "#states", swap: "none" });
}

function refuse(item, sentence) {
  item.state = "refused";
  item.row.className = "refused";
  say(item, sentence);
  buttons(item);
}

// May be tried again: the same key makes it the same video, should it have arrived after all.
function fail(item, sentence) {
  item.state = "failed";
  item.row.className = "failed";
  say(item, sentence);
  buttons(item);
  next();
}

const rests = (item) => item.state === "waiting" || item.state === "paused";
const isSending = (item) => item.state === "sending" && !item.arrived;
const canStop = (item) => rests(item) || isSending(item);
const canPause = (item) => isSending(item) && isLarge(item);

function cancel(item) {
  if (!canStop(item)) return;
  discard(item);
  if (item.state === "sending" && item.request) item.request.abort();
  else fail(item, "Cancelled.");
}

queue.addEventListener("click", (event) => {
  const act = event.target.dataset.act;
  const item = [...items, ...offers].find((each) => each.row === event.target.closest("li"));
  if (!act || !item) return;
  if (act === "give") give(item);
  if (act === "keep") keep(item);
  if (act === "cancel") cancel(item);
  if (act === "pause" && canPause(item)) pause(item);
  if (act === "again" || act === "resume") {
    item.state = "waiting";
    item.request = null;
    item.arrived = false;
    item.row.className = "sending";
    say(item, "Waiting");
    buttons(item);
    next();
  }
  // Who pressed a key on a button that is gone stays in the row.
  if (event.target.hidden) item.row.querySelector(".acts button:not([hidden])")?.focus();
});
document.getElementById("cancel-all").addEventListener("click", () => {
  for (const item of items.filter(rests)) cancel(item);
  for (const item of items.filter((each) => each.state === "sending")) cancel(item);
});
addEventListener("beforeunload", (event) => {
  if (items.some((item) => item.state === "sending" || item.state === "waiting")) event.preventDefault();
});

// --- what is seen ---

function draw(item) {
  if (!item.row) {
    item.row = template.content.firstElementChild.cloneNode(true);
    item.row.querySelector(".name").textContent = item.file.name;
    item.row.querySelector(".size").textContent = bytes(item.file.size);
    item.row.querySelector("progress").setAttribute("aria-label", `Sent of ${item.file.name}`);
    queue.append(item.row);
  }
  item.row.querySelector("progress").value = 0;
}

// The sentence is read aloud when it changes; how far it is, several times a second, is not.
function say(item, sentence, far = "") {
  const status = item.row.querySelector(".say");
  if (status.textContent !== sentence) status.textContent = sentence;
  item.row.querySelector(".far").textContent = far;
}

function buttons(item) {
  item.row.querySelector("[data-act=cancel]").hidden = !canStop(item);
  item.row.querySelector("[data-act=pause]").hidden = !canPause(item);
  item.row.querySelector("[data-act=resume]").hidden = item.state !== "paused";
  item.row.querySelector("[data-act=again]").hidden = item.state !== "failed";
  for (const act of ["give", "keep"]) item.row.querySelector(`[data-act=${act}]`).hidden = item.state !== "offered";
  if (item.state === "offered" || item.state === "refused" || item.state === "failed") item.row.querySelector("progress").hidden = true;
  else if (item.state === "waiting") item.row.querySelector("progress").hidden = false;
}

function count() {
  const left = items.filter((item) => item.state === "waiting" || item.state === "sending").length;
  const number = (state) => items.filter((item) => item.state === state).length;
  const words = [`${number("done")} of ${items.length} sent`];
  if (number("refused")) words.push(`${number("refused")} refused`);
  if (number("failed")) words.push(`${number("failed")} not sent`);
  if (number("paused")) words.push(`${number("paused")} paused`);
  const still = left || number("paused");
  sum.textContent = items.length ? words.join(", ") + (still ? "" : ". Nothing is waiting.") : "";
  document.getElementById("cancel-all").hidden = !items.some(canStop);
}

function bytes(count) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) {
    count /= 1024;
    unit++;
  }
  return `${count.toFixed(unit && count < 100 ? 1 : 0)} ${units[unit]}`;
}

function lasts(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
