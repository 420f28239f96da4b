// Moments in fields (data-moment): written as time is shown, and as they are sent.
//
// The server writes a field's moment by the clock; that stays its defaultValue. A field that nobody
// touched means this very moment, to which a timecode may only be near.

import { exactClock, isTimecode, name, parseClock, parseMoment, timebaseOf } from "./time.js";

const main = document.getElementById("main");
const base = timebaseOf(main.dataset);
const written = new WeakMap(); // field -> what stands in it

export const isTyped = (field) => field.value !== field.defaultValue && field.value !== written.get(field);

// What somebody typed and did not send yet stays.
export function writeMoment(field) {
  if (isTyped(field)) return;
  field.value = shown(field.defaultValue);
  written.set(field, field.value);
}

// A moment (in ms) as a field shows it now.
export const inWords = (ms) => (isClock() ? exactClock(ms) : name(ms, base, main.dataset.time));

const isClock = () => (main.dataset.time ?? "clock") === "clock";

function shown(text) {
  if (!text || isClock()) return text;
  try {
    return inWords(parseClock(text));
  } catch {
    return text; // what somebody sent, and could not be read
  }
}

// Gives a field another moment, in seconds, or none.
export function fillMoment(field, seconds) {
  field.value = field.defaultValue = seconds === null ? "" : exactClock(Math.round(seconds * 1000));
  writeMoment(field);
}

// What is sent for it.
export const meant = (field) => (isTyped(field) ? asSent(field.value) : field.defaultValue);

// The form's data, with the moments that its fields mean.
export function dataOf(form) {
  const data = new FormData(form);
  for (const field of form.querySelectorAll("[data-moment]")) data.set(field.name, meant(field));
  return data;
}

// The server takes a timecode for the file's own; where running time is shown, it is not.
function asSent(typed) {
  if (main.dataset.time !== "running" || !isTimecode(typed)) return typed;
  try {
    return String(parseMoment(typed, base, 0, true) / 1000);
  } catch {
    return typed; // the server says what is wrong with it
  }
}
