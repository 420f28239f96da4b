// What is typed in the forms of a list outlives the answer to another one of them, as does the focus.

import { isTyped } from "./typed.js";

export const isChanged = (field) => (field.options ? !field.selectedOptions[0].defaultSelected : isTyped(field));

// What the server refused stands in its form as the server wrote it, and is nowhere else.
const isRefused = (form) => form.querySelector("[role=alert]") !== null;

let left = [];

// To be called before the swap; `isSent` tells the form to which the answer is.
export function remember(list, isSent) {
  left = [...list.querySelectorAll("input:not([type=hidden]), select")]
    .filter((field) => field.form && !isSent(field.form))
    .map((field) => ({ field, focused: field === document.activeElement, typed: isChanged(field) || isRefused(field.form) }))
    .filter(({ focused, typed }) => focused || typed);
}

// To be called after it, with the list that came.
export function carryOver(list) {
  for (const { field, focused, typed } of left) {
    const twin = list.querySelector(`form[action="${field.form.getAttribute("action")}"]`)?.elements[field.name];
    if (!twin) continue;
    if (typed) twin.value = field.value;
    const details = twin.closest("details");
    if (details) details.open = true;
    if (focused) twin.focus({ preventScroll: true });
  }
  left = [];
}
