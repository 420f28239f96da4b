// What is known of the file stands beside the lines, or behind them where the window is narrow: so
// the keyboard finds it where the eye does. Without this module it is only seen there.

const below = document.getElementById("below");
const beside = below.parentElement;
const narrow = matchMedia("(width < 60rem)");

function place() {
  (narrow.matches ? document.getElementById("main") : beside).append(below);
}
narrow.addEventListener("change", place);
if (narrow.matches) place();
