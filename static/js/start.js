// Fetches what can be done with the lines when all of the page has been read: thirty scripts that are
// fetched beside the lines paint them late, and a browser looks ahead for all that a page names itself.

const { modules } = document.querySelector("script[data-modules]").dataset;

for (const name of modules.split(" ")) {
  const script = document.createElement("script");
  script.type = "module";
  script.async = false; // they run in this order
  script.src = new URL(`./${name}.js`, import.meta.url);
  document.body.append(script);
}
