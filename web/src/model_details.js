/** Display of a model's metadata. */

/** @type {Record<string, string>} */
const VIEWPOINTS = {
  observer: "left joints are those towards the image’s right, whichever way the person faces",
  person: "left and right are the person’s own",
};
const HIDDEN_KEYS = ["format", "joints", "training_groups"];

/**
 * Display a model's metadata, and the meaning of left and right.
 *
 * @param {HTMLElement} list the <dl> element of the metadata
 * @param {HTMLElement} viewpoint the element of the explanation
 * @param {import("./pose_model.js").PoseModel} model
 */
export function showModelDetails(list, viewpoint, { name, metadata, size, loaded }) {
  const { loadMs, firstRunMs, fullyDelegated } = loaded;
  const details = {
    file: name,
    ...(metadata ?? { metadata: "none" }),
    input: `${size} × ${size} px`,
    "loaded in": `${loadMs.toFixed(0)} ms, first run ${firstRunMs.toFixed(0)} ms`,
    XNNPACK: fullyDelegated ? "runs the whole model" : "runs a part of the model",
  };
  list.replaceChildren(
    ...Object.entries(details)
      .filter(([key]) => !HIDDEN_KEYS.includes(key))
      .flatMap(([key, value]) => [textElement("dt", key.replaceAll("_", " ")), textElement("dd", format(value))]),
  );
  viewpoint.textContent = VIEWPOINTS[metadata?.viewpoint ?? ""] ?? "";
}

function format(/** @type {unknown} */ value) {
  if (Array.isArray(value)) return value.join(" to ");
  return value === null ? "–" : String(value);
}

function textElement(/** @type {string} */ tag, /** @type {string} */ text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
