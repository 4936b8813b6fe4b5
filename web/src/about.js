/** The facts of a model for people. */

const VIEWPOINTS = { observer: ", as the observer sees them", person: ", the person’s own" };
const HIDDEN = ["format", "joints"];

/**
 * @param {HTMLElement} list <dl> for the card
 * @param {HTMLElement} viewpoint what is said behind left and right
 * @param {import("./predict.js").Model} model
 */
export function showCard(list, viewpoint, { name, card, size, loaded }) {
  const { loadMs, firstRunMs, fullyDelegated } = loaded;
  const facts = {
    file: name,
    ...(card ? Object.fromEntries(Object.entries(card).filter(([key]) => !HIDDEN.includes(key))) : { card: "none" }),
    input: `${size} × ${size} px`,
    "loaded in": `${loadMs.toFixed(0)} ms, first run ${firstRunMs.toFixed(0)} ms`,
    XNNPACK: fullyDelegated ? "runs all of it" : "runs a part of it",
  };
  list.replaceChildren(
    ...Object.entries(facts).flatMap(([key, value]) => [
      withText("dt", key.replaceAll("_", " ")),
      withText("dd", value === null ? "–" : Array.isArray(value) ? value.join(" to ") : String(value)),
    ]),
  );
  viewpoint.textContent = VIEWPOINTS[card?.viewpoint] ?? "";
}

function withText(/** @type {string} */ tag, /** @type {string} */ text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
