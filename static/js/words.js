// The words that are looked for, and how, as an address has them.

const field = document.getElementById("find-words");
const exact = document.getElementById("find-case");
const only = document.getElementById("find-only");

// Writes them into a query (URLSearchParams), behind what is there; one without words says nothing of
// them. Its moment comes last, for people who change it by hand.
export function tellWords(query) {
  const words = field.value.trim();
  const isCased = words && exact.ariaPressed === "true";
  const told = { q: words, case: isCased && "1", only: words && only.checked && "1", t: query.get("t") };
  for (const [name, value] of Object.entries(told)) {
    query.delete(name);
    if (value) query.set(name, value);
  }
}
