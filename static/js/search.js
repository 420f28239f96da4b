// Results come while somebody types; the address holds the question, so that it can be shared.

const form = document.getElementById("search");

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "results") return;
  const asked = new URLSearchParams(new FormData(form));
  for (const name of ["index", "sort"]) {
    if (!asked.get(name) || asked.get(name) === "best") asked.delete(name);
  }
  history.replaceState(null, "", asked.get("q") ? `?${asked}` : location.pathname);
});

// --- a video's strip: a click goes to the hit that lies nearest ---

function nearest(strip, x) {
  const { left, width } = strip.getBoundingClientRect();
  const at = ((x - left) / width) * strip.viewBox.baseVal.width;
  const away = (tick) => Math.abs(tick.x.baseVal.value + tick.width.baseVal.value / 2 - at);
  return [...strip.querySelectorAll("rect")].reduce((best, tick) => (away(tick) < away(best) ? tick : best));
}

document.addEventListener("click", (event) => {
  const strip = event.target.closest(".hit-strip");
  if (!strip) return;
  const url = new URL(strip.closest(".result").querySelector("a.name").href);
  url.searchParams.set("t", nearest(strip, event.clientX).dataset.t);
  url.hash = "now";
  const link = document.createElement("a"); // it knows what Ctrl or Shift with a click means
  link.href = url;
  link.dispatchEvent(new MouseEvent("click", event));
});
