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
