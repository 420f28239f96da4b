// On every page: what htmx should do when the tab is hidden, the server is away or the session over.

const trouble = document.getElementById("trouble");

function say(sentence) {
  trouble.textContent = sentence;
  trouble.hidden = !sentence;
}

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
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) say("");
});
document.addEventListener("htmx:sendError", () => {
  say("The server does not answer. This page asks again by itself.");
});
document.addEventListener("htmx:responseError", (event) => {
  const { elt, xhr } = event.detail;
  if (xhr.status === 404 && elt.matches("[data-poll]")) {
    for (const polled of document.querySelectorAll("[data-poll]")) polled.remove(); // all are of it
    say("This video was deleted.");
  } else if (xhr.status === 403) {
    say(xhr.getResponseHeader("X-Refusal") ?? "This page is too old. Reload it and try again.");
  } else {
    say("The server could not do this. Trying again may help.");
  }
});
