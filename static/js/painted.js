// Paints words of the lines without changing an element (CSS Custom Highlight API).
//
// The styles stand on the root, and what is in it inherits them: a style of each line's own would be
// worked out for every line that comes into sight. Where highlights inherit nothing, each element
// gets its own after all, by a class.

export const paints = Boolean(CSS.highlights && window.StaticRange);
let asked = false;

export function paint(name, highlight) {
  if (!highlight.size) return CSS.highlights.delete(name);
  if (!asked && !inherits()) document.documentElement.classList.add("each-highlights");
  asked = true;
  CSS.highlights.set(name, highlight);
}

const inherits = () => getComputedStyle(document.body, "::highlight(find-now)").textDecorationLine === "underline";

export const span = (node, startOffset, endOffset) =>
  new StaticRange({ startContainer: node, startOffset, endContainer: node, endOffset });
