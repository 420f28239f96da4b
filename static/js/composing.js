// A key that belongs to an input method, as Enter that chooses a character. Safari has ended the
// composition by then, and says so by the old code alone.
export const isComposing = (event) => event.isComposing || event.keyCode === 229;
