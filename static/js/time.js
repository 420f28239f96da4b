// Time as videos/timecode.py says it: milliseconds, clock text and SMPTE timecode by rational
// rates. tests/timecodes.json holds the cases that both must pass. Touches no page.
//
// A timebase is {rate: [30000, 1001], drop, start, length}: frames a second, whether names drop, the
// number of the file's first frame, and how long the video is (in milliseconds, if it is known).

const MAX_MS = 1000 * 3600 * 1000;
const HAIR_US = 10; // finer than any frame, coarser than what containers and players round to

const SECONDS = /^\d{1,9}(?:[.,]\d{1,20})?$/;
const SPOKEN = /^(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d{1,20})?)s)?$/;
const SMPTE = /^(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})$/;
const CLOCK = /^(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:[.,]\d{1,20})?)$/;

// What cannot be read, with a sentence for the one who typed it.
export class NoTime extends Error {}

const pad = (number, width = 2) => String(number).padStart(width, "0");
const decimal = (text) => Number(text.replace(",", "."));

export function secondsToMs(seconds) {
  return Math.floor(seconds * 1000 + 0.5);
}

function within(ms) {
  if (ms > MAX_MS) throw new NoTime("That is beyond the end of any video.");
  return ms;
}

export function parseClock(text) {
  text = text.trim();
  if (SECONDS.test(text)) return within(secondsToMs(decimal(text)));
  const match = CLOCK.exec(text);
  if (!match) throw new NoTime("Write a time as 90, 1:30, 00:01:30 or 1:30.5.");
  const [hours, minutes, seconds] = [Number(match[1] ?? 0), Number(match[2]), decimal(match[3])];
  if (seconds >= 60 || (match[1] !== undefined && minutes >= 60)) throw new NoTime("Minutes and seconds go up to 59.");
  return within(secondsToMs(hours * 3600 + minutes * 60 + seconds));
}

// 4:40 below an hour, 1:04:40 from there on; cut, never rounded to a later second.
export function clock(ms, tenths = false) {
  const seconds = Math.floor(Math.max(ms, 0) / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const text = hours ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
  return tenths ? `${text}.${Math.floor((Math.max(ms, 0) % 1000) / 100)}` : text;
}

// As short as it can be without changing the moment.
export function exactClock(ms) {
  return ms % 1000 ? `${clock(ms)}.${pad(ms % 1000, 3).replace(/0+$/, "")}` : clock(ms);
}

// --- SMPTE timecode ---

// The frames that a second of timecode counts. (Halves go to even, as Python rounds.)
function nominal({ rate: [frames, seconds] }) {
  const whole = Math.floor(frames / seconds);
  const rest = 2 * (frames - whole * seconds) - seconds;
  return Math.max(1, rest > 0 || (rest === 0 && whole % 2) ? whole + 1 : whole);
}

const dropped = (base) => (base.drop ? Math.floor(nominal(base) / 15) : 0);
const day = (base) => 24 * 3600 * nominal(base) - dropped(base) * (24 * 60 - 24 * 6);

function canDrop([frames, seconds]) {
  return seconds === 1001 && frames % 30000 === 0;
}

export function timebase(rate, startTimecode = "") {
  rate = rate[0] > 0 ? rate : [25, 1];
  const drop = canDrop(rate) && (startTimecode ? startTimecode.includes(";") : true);
  const base = { rate, drop, start: 0 };
  const second = startTimecode.trim().slice(0, 8);
  // One that counts more frames a second than the picture has is right to the second.
  for (const text of [startTimecode, `${second}:00`, `${second}:${pad(dropped(base))}`]) {
    try {
      return { ...base, start: parseTimecode(text, base) };
    } catch {} // none, or one that this rate does not have
  }
  return base;
}

// What the page says of its video.
export function timebaseOf({ rate, drop, first, length }) {
  return { rate: rateOf(rate), drop: Boolean(drop), start: Number(first), length: secondsToMs(Number(length)) };
}

// "30000/1001" or "25".
export function rateOf(text) {
  const [frames, seconds] = text.split("/").map(Number);
  return [frames, seconds || 1];
}

// Whole numbers of any size: a long video at an odd rate is beyond what a double holds exactly.
const divide = (number, by) => Number((number - (((number % by) + by) % by)) / by);

// The frame that is shown then. A frame's own start, rounded to ms, is in it.
export function frameAt(ms, [frames, seconds]) {
  return divide((2n * BigInt(ms) + 1n) * BigInt(frames), 2000n * BigInt(seconds));
}

export function frameMs(frame, [frames, seconds]) {
  return divide(2000n * BigInt(frame) * BigInt(seconds) + BigInt(frames), 2n * BigInt(frames));
}

// Where a player has to go to show what begins at `ms`, in microseconds: a frame's start, rounded,
// may lie before it, where players show the frame before; and some cut what they are told to
// microseconds. So a frame is gone to a hair behind its start.
export function seekUs(ms, rate) {
  const frame = frameAt(ms, rate);
  if (frame === 0 || frameMs(frame, rate) !== ms) return ms * 1000;
  const start = -divide(-1_000_000n * BigInt(frame) * BigInt(rate[1]), BigInt(rate[0])); // rounded up
  return Math.max(ms * 1000, start) + HAIR_US;
}

export function timecode(frame, base) {
  const rate = nominal(base);
  let number = ((frame % day(base)) + day(base)) % day(base);
  if (base.drop) number += droppedBefore(number, base);
  const seconds = Math.floor(number / rate);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const width = Math.max(2, String(rate - 1).length);
  return clock.map((part) => pad(part)).join(":") + (base.drop ? ";" : ":") + pad(number % rate, width);
}

// How many numbers were skipped before this frame: none in each tenth minute.
function droppedBefore(frame, base) {
  const skip = dropped(base);
  const minute = 60 * nominal(base) - skip;
  const ten = 10 * minute + skip;
  return skip * (9 * Math.floor(frame / ten) + Math.floor(Math.max(0, (frame % ten) - skip) / minute));
}

export function parseTimecode(text, base) {
  const match = SMPTE.exec(text.trim());
  if (!match) throw new NoTime("Write a timecode as 01:00:12:10.");
  const rate = nominal(base);
  const [hours, minutes, seconds, frames] = [1, 2, 3, 5].map((n) => Number(match[n]));
  if (hours > 23 || minutes > 59 || seconds > 59 || frames >= rate) {
    throw new NoTime(`Hours go to 23, minutes and seconds to 59, frames to ${rate - 1}.`);
  }
  if (frames < dropped(base) && seconds === 0 && minutes % 10) {
    throw new NoTime("This timecode is one of those that drop-frame leaves out.");
  }
  const total = 60 * hours + minutes;
  return (60 * total + seconds) * rate + frames - dropped(base) * (total - Math.floor(total / 10));
}

export const running = (ms, base) => timecode(frameAt(ms, base.rate), base);
export const source = (ms, base) => timecode(base.start + frameAt(ms, base.rate), base);

export function isTimecode(text) {
  return SMPTE.test(text.trim()) && ":;".includes(SMPTE.exec(text.trim())[4]);
}

// When the frame of this number is shown; before the file's start it may be the next day's.
function fromStart(frame, base) {
  if (frame >= base.start) return frameMs(frame - base.start, base.rate);
  const tomorrow = frameMs(frame + day(base) - base.start, base.rate);
  return tomorrow <= (base.length ?? 0) ? tomorrow : frameMs(frame, base.rate);
}

// Whatever an editor types: 1234, 12:34, 1m23s, +10, -5, 01:00:12:10. Throws NoTime.
// Where running time is shown, a timecode is always counted from the start of the video.
export function parseMoment(text, base, nowMs = 0, isRunning = false) {
  text = text.trim().replace(/^\?/, "").replace(/^t=/, "");
  if (/^[+-]\d/.test(text)) {
    const step = parseMoment(text.slice(1), { ...base, start: 0 });
    return Math.max(0, nowMs + (text[0] === "+" ? step : -step));
  }
  if (isTimecode(text)) {
    const frame = parseTimecode(text, base);
    return isRunning ? frameMs(frame, base.rate) : fromStart(frame, base);
  }
  const match = text && SPOKEN.exec(text);
  if (match) {
    const [hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
    return within(secondsToMs(3600 * hours + 60 * minutes + seconds));
  }
  return parseClock(text);
}

// A moment as the page shows it now: by the clock, in seconds, or in one of both timecodes.
export function name(ms, base, mode, tenths = false) {
  if (mode === "seconds") return (ms / 1000).toFixed(3);
  if (mode === "source") return source(ms, base);
  return mode === "running" ? running(ms, base) : clock(ms, tenths);
}
