// Copies words, or what a promise of them brings: true, or false when the browser does not let the
// page. Throws what the promise throws. To be called while the click lasts: nothing is waited for before.
export async function copy(words) {
  try {
    await write(words);
    return true;
  } catch {
    return copyByHand(await words);
  }
}

// Safari takes nothing once something was waited for, but a promise of it; others may know no promise.
async function write(words) {
  const blob = inBlob(words);
  blob.catch(() => {}); // a browser that refuses at once waits for it no more
  try {
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  } catch {
    await navigator.clipboard.writeText(await words);
  }
}

const inBlob = async (words) => new Blob([await words], { type: "text/plain" });

// Without https there is no clipboard to write to, but a selection can be copied.
function copyByHand(text) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed"; // or the page would scroll to it
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus({ preventScroll: true });
  return done;
}
