// On every page: what htmx should do when the tab is hidden, the server is away or the session over.

import { AWAY, complain } from "./say.js";

// Who asks again by itself says so (data-unanswered).
const kindOf = ({ elt, verb }) => (elt.matches("[data-poll]") ? "poll" : verb === "get" ? "look" : "deed");
const UNANSWERED = {
  deed: "The server is not responding: this was not saved. Try again.",
  look: "The server is not responding. Try again.",
  poll: "The server is not responding. This page asks again by itself.",
};
const UNSAID = {
  403: "This page is too old. Reload it and try again.",
  other: "The server could not do this. Trying again may help.",
};

// A hidden tab asks nothing; when it is seen again it asks at once.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.matches("[data-poll]")) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[data-poll]")) {
    const url = element.getAttribute("hx-get");
    window.htmx?.ajax("GET", url, { source: element, target: element, swap: element.getAttribute("hx-swap") });
  }
});

document.addEventListener("htmx:beforeSwap", (event) => {
  // Only the sign-in page answers a partial's request with a whole page.
  if (/^\s*<!doctype/i.test(event.detail.xhr.responseText)) {
    event.detail.shouldSwap = false;
    if (event.detail.xhr.status < 400) location.reload();
  }
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful) complain("", kindOf(detail.requestConfig));
});
document.addEventListener("htmx:sendError", ({ detail }) => {
  const kind = kindOf(detail.requestConfig);
  complain(detail.requestConfig.elt.dataset.unanswered ?? UNANSWERED[kind], kind);
});
document.addEventListener("htmx:responseError", ({ detail: { requestConfig, xhr } }) => {
  const kind = kindOf(requestConfig);
  if (xhr.status === 404 && kind === "poll") {
    for (const polled of document.querySelectorAll("[data-poll]")) polled.remove(); // all are of it
    complain(AWAY, "gone");
  } else if (xhr.status === 404) {
    complain(AWAY, kind);
  } else {
    complain(xhr.getResponseHeader("X-Refusal") ?? UNSAID[xhr.status] ?? UNSAID.other, kind);
  }
});
