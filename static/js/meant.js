// Which line a key means that acts on "the line", when the keyboard's focus is on one.
//
// The focus alone does not say: a line that was corrected, or sought by Enter, keeps it while the
// video plays on. So it counts until the playhead is moved or begins to play; while it plays, only
// where it was put by Tab.

const player = document.getElementById("player");

let tabbing = false; // what gets the focus now gets it by Tab
let byTab = false; // the line got it so
let counts = false;

document.addEventListener(
  "keydown",
  ({ key }) => {
    if (key !== "Tab") return;
    tabbing = true;
    setTimeout(() => (tabbing = false)); // the focus moves before that
  },
  { capture: true },
);
document.addEventListener("focusin", ({ target }) => {
  if (!target.closest("#rows li")) return;
  byTab = tabbing;
  counts = byTab || player.paused;
});
const forget = () => (counts = false);
document.addEventListener("desk:seek", forget);
for (const name of ["play", "seeking"]) player.addEventListener(name, forget);

// Null when the playhead decides. A pointer's focus is no choice of a line.
export function focusedRow() {
  const { activeElement: at } = document;
  return counts && at.matches(":focus-visible") ? at.closest("#rows li") : null;
}

// The same where somebody chose the line for its own sake.
export const tabbedRow = () => (byTab ? focusedRow() : null);
