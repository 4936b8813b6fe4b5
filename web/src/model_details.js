/** Display of what is known about a model. */

import { getElement } from "./dom.js";
import { describeTrainingGroups } from "./training_groups.js";

/** Keys of the metadata that are displayed elsewhere or not at all. */
const HIDDEN_KEYS = ["format", "joints", "training_groups"];

/**
 * Display a model's metadata, what it was trained on, and whether it is the champion.
 *
 * @param {import("./pose_model.js").PoseModel} model
 * @param {string} champion description of its promotion, "" for a model that is not the champion
 */
export async function showModelDetails({ name, metadata, size, loaded }, champion) {
  const groups = await describeTrainingGroups(metadata?.training_groups);
  const { loadMs, firstRunMs, fullyDelegated } = loaded;
  const details = {
    file: name,
    ...(metadata ?? { metadata: "none" }),
    input: `${size} × ${size} px`,
    "loaded in": `${loadMs.toFixed(0)} ms, first run ${firstRunMs.toFixed(0)} ms`,
    XNNPACK: fullyDelegated ? "runs the whole model" : "runs a part of the model",
  };
  getElement("metadata", HTMLElement).replaceChildren(
    ...Object.entries(details)
      .filter(([key]) => !HIDDEN_KEYS.includes(key))
      .flatMap(([key, value]) => [textElement("dt", key.replaceAll("_", " ")), textElement("dd", format(value))]),
  );
  const badge = getElement("champion", HTMLElement);
  badge.textContent = `Champion: ${champion}`;
  badge.hidden = !champion;
  getElement("trained-on", HTMLElement).textContent = `${metadata?.variant ?? name}, trained on: ${groups}`;
}

function format(/** @type {unknown} */ value) {
  if (Array.isArray(value)) return value.join(" to ");
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return value === null ? "–" : String(value);
}

function textElement(/** @type {string} */ tag, /** @type {string} */ text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
