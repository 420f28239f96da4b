// Moments that somebody types, as they are sent: the server takes a timecode for the file's own, and
// where running time is shown, it is not.

import { isTimecode, parseMoment, timebaseOf } from "./time.js";

const main = document.getElementById("main");
const base = timebaseOf(main.dataset);

export function asSent(typed) {
  if (main.dataset.time !== "running" || !isTimecode(typed)) return typed;
  try {
    return String(parseMoment(typed, base, 0, true) / 1000);
  } catch {
    return typed; // the server says what is wrong with it
  }
}
