/** The facts of a model for people. */

const VIEWPOINTS = {
  observer: "left joints are those towards the picture’s right, whichever way a person faces",
  person: "sides are the person’s own",
};
const HIDDEN = ["format", "joints"];

/**
 * @param {HTMLElement} list <dl> for the card
 * @param {HTMLElement} viewpoint what is said of left and right
 * @param {import("./predict.js").Model} model
 */
export function showCard(list, viewpoint, { name, card, size, loaded }) {
  const { loadMs, firstRunMs, fullyDelegated } = loaded;
  const facts = {
    file: name,
    ...(card ?? { card: "none" }),
    input: `${size} × ${size} px`,
    "loaded in": `${loadMs.toFixed(0)} ms, first run ${firstRunMs.toFixed(0)} ms`,
    XNNPACK: fullyDelegated ? "runs all of it" : "runs a part of it",
  };
  list.replaceChildren(
    ...Object.entries(facts)
      .filter(([key]) => !HIDDEN.includes(key))
      .flatMap(([key, value]) => [withText("dt", key.replaceAll("_", " ")), withText("dd", words(value))]),
  );
  viewpoint.textContent = VIEWPOINTS[card?.viewpoint] ?? "";
}

function words(value) {
  if (Array.isArray(value)) return value.join(" to ");
  return value === null ? "–" : String(value);
}

function withText(/** @type {string} */ tag, /** @type {string} */ text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
