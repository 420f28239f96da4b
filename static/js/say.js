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

// For everybody, at the top of the page; until something succeeds (page.js).
export function complain(sentence) {
  const trouble = document.getElementById("trouble");
  trouble.textContent = sentence;
  trouble.hidden = !sentence;
}
