// Pages without the switch of clock.js show the times of lines as it was left.

import { kept } from "./kept.js";
import { name, timebaseOf } from "./time.js";

const LINKS = "#rows li > a, .hits li > a:not(.more)";
const mode = kept("time");

function write() {
  for (const link of document.querySelectorAll(LINKS)) {
    const { dataset } = link.closest("[data-rate]");
    const at = Number(new URLSearchParams(link.search).get("t"));
    dataset.time = mode;
    link.firstChild.data = name(Math.round(at * 1000), timebaseOf(dataset), mode);
  }
}

if (["running", "source", "seconds"].includes(mode)) {
  write();
  document.addEventListener("htmx:afterSettle", write);
}
