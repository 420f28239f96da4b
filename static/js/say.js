// One sentence to whoever works at the desk.

const NOTE_MS = 4000;

// For those who cannot see what changed.
export function announce(sentence) {
  document.getElementById("announce").textContent = sentence;
}

// For everybody, beside the player; it goes by itself.
export function note(sentence) {
  const place = document.getElementById("transport-note");
  place.textContent = sentence;
  setTimeout(() => place.textContent === sentence && (place.textContent = ""), NOTE_MS);
}

export const AWAY = "This was deleted, or is no longer shared with you.";

// Why the last request of each kind failed: what the page asks by itself wipes out nothing that is
// said of somebody's deed.
const wrong = { gone: "", deed: "", look: "", poll: "" };

// For everybody, at the top of the page, till a request of that kind succeeds and "" takes it away.
// Touched on a change only, or it would be read out again and again.
export function complain(sentence, kind = "deed") {
  if (wrong[kind] === sentence) return;
  wrong[kind] = sentence;
  const trouble = document.getElementById("trouble");
  trouble.textContent = Object.values(wrong).find(Boolean) ?? "";
  trouble.hidden = !trouble.textContent;
}
