// A click on a line moves the player there and leaves it playing or paused as it was.

const player = document.getElementById("player");

function startOf(row) {
  const href = row.querySelector("a").getAttribute("href");
  return Number(href.slice(href.lastIndexOf("t=") + 2, href.lastIndexOf("#")));
}

function isSelecting(row) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(row, true);
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("#rows li");
  if (!row || event.target.closest("button, form")) return;
  const link = event.target.closest("a");
  if (link && (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) return;
  if (!link && isSelecting(row)) return;
  event.preventDefault();
  const at = startOf(row);
  player.currentTime = at;
  row.dispatchEvent(new CustomEvent("desk:seek", { bubbles: true, detail: { at } }));
});

async function explain() {
  const answer = await fetch(player.src, { method: "HEAD" }).catch(() => null);
  if (!answer) return;
  document.getElementById(answer.ok ? "unplayable" : "missing").hidden = false;
}

// The error may have come before this module did.
player.addEventListener("error", explain);
if (player.error) explain();
