// Takes up what is made of the video while the page is open: the playable copy, the waveform.
//
// The player stays where it is and playing; only its address changes. desk:source tells before.

const player = document.getElementById("player");

function pathOf(address) {
  return new URL(address, location).href.replace(/#.*/, "");
}

let changing = new AbortController(); // the last change may still wait for its file

function change(src) {
  changing.abort();
  changing = new AbortController();
  const { signal } = changing;
  const opened = player.src.match(/#t=([\d.]+)/);
  let at = player.currentTime || Number(opened?.[1] ?? 0);
  const playing = !player.paused;
  const rate = player.playbackRate;
  const seek = ({ detail }) => (at = detail.at); // by somebody who does not wait for it
  document.addEventListener("desk:seek", seek, { signal });
  player.addEventListener(
    "loadedmetadata",
    () => {
      changing.abort();
      player.playbackRate = rate;
      if (at) player.currentTime = at;
      if (playing) player.play().catch(() => {}); // the browser may want a click first
    },
    { signal },
  );
  document.getElementById("unplayable").hidden = true;
  document.dispatchEvent(new CustomEvent("desk:source"));
  player.src = src;
}

function follow() {
  const made = document.getElementById("derived")?.dataset;
  if (!made) return;
  if (pathOf(made.src) !== pathOf(player.src)) change(made.src);
  if (made.peaks && made.peaks !== player.dataset.peaks) {
    player.dataset.peaks = made.peaks;
    document.dispatchEvent(new CustomEvent("desk:peaks"));
  }
}

// A browser that knows the sound alone plays it beside a black picture, without an error.
function look() {
  const blind = player.localName === "video" && player.readyState > 0 && !player.videoWidth;
  if (blind) document.getElementById("unplayable").hidden = false;
}

player.addEventListener("loadedmetadata", look);
look();
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "derived") follow();
});
follow();
