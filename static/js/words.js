// The words that are looked for, and how, as an address has them.

const field = document.getElementById("find-words");
const exact = document.getElementById("find-case");
const only = document.getElementById("find-only");

// Writes them into a query (URLSearchParams); one without words says nothing of them. Its moment
// comes last, for people who change it by hand.
export function tellWords(query) {
  const words = field.value.trim();
  const told = { q: words, case: exact.ariaPressed === "true" && "1", only: only.checked && "1" };
  for (const [name, value] of Object.entries(told)) {
    if (words && value) query.set(name, value);
    else query.delete(name);
  }
  const at = query.get("t");
  query.delete("t");
  if (at !== null) query.set("t", at);
}
