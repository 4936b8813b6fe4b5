/** The page: displays the joints that the selected model predicts in an image, in a video or for the camera. */

import { errorMessage, getElement, showMessage } from "./dom.js";
import { fetchFile } from "./fetch_file.js";
import { ImageView } from "./image_view.js";
import { percentile } from "./latency.js";
import { showModelDetails } from "./model_details.js";
import { INDEX, ModelPicker } from "./model_picker.js";
import { cacheForOffline } from "./offline.js";
import { loadPoseModel, predictRegion } from "./pose_model.js";
import { createPredictor } from "./predictors.js";
import { enableRegionSelection } from "./region_selection.js";
import { ResultView, showStatus } from "./result_view.js";
import { Runtime } from "./runtime.js";
import { SeekBar } from "./seek_bar.js";
import { cameraSource, imageSource, videoSource } from "./sources.js";
import { explainSides } from "./viewpoint.js";

/**
 * @typedef {import("./geometry.js").CropRegion} CropRegion
 * @typedef {import("./model_picker.js").Entry} Entry
 * @typedef {import("./pose_model.js").PoseModel} PoseModel
 * @typedef {import("./predictors.js").PredictImage} PredictImage
 * @typedef {import("./sources.js").Source} Source
 * @typedef {{runtime: Runtime, model: PoseModel, source: Source}} Session
 *
 * A model in use, its file, and its entry in the list of models (null for a file of the user):
 * @typedef {{model: PoseModel, file: Uint8Array, entry: Entry | null}} Selection
 */

/** Maximum number of the latest runs that the latency is computed from. */
const MAX_RUNS = 200;
/** Maximum number and duration, ms, of repeated predictions of a still image, which measure the latency. */
const MAX_REPEATS = 30, REPEAT_MS = 1500;
/** Maximum number of people. */
const MAX_PEOPLE = 5;

const view = new ImageView(getElement("image", HTMLCanvasElement));
const searchBox = getElement("search", HTMLInputElement), peopleInput = getElement("people", HTMLInputElement);
const thresholdSlider = getElement("threshold", HTMLInputElement);
const cameraButton = getElement("camera", HTMLButtonElement);

/** @type {Runtime | null} */
let runtime = null;
/** @type {Selection | null} */
let selection = null;
/** @type {Source | null} */
let source = null;
/** Region of a still image that the user has selected. @type {CropRegion | null} */
let selectedRegion = null;
/** Mean confidence below which a region shows no person, if people are searched for. */
let threshold = 0;
const resultView = new ResultView(view, () => threshold, attempt);
/** @type {"user" | "environment"} */
let facingMode = "user";
/** Latencies of the model's latest runs, ms. @type {number[]} */
let latencies = [];
/** Numbers of the latest session, source and model; asynchronous work of an earlier one compares them and stops. */
let sessionNumber = 0, sourceNumber = 0, modelNumber = 0;
/** Loading of the latest model; the next model waits for its end. @type {Promise<void>} */
let loading = Promise.resolve();

/** Run an action of the user and show its error, if any; the displayed image remains. */
async function attempt(/** @type {() => Promise<void>} */ action) {
  try {
    showMessage("");
    await action();
  } catch (error) {
    showError(error);
  }
}

function showError(/** @type {unknown} */ error) {
  showMessage(errorMessage(error), true);
  console.info(error);
}

/**
 * Load a model and use it from now on. If it cannot be loaded, the previous one remains in use.
 *
 * @param {string} name
 * @param {() => Promise<Uint8Array>} read
 * @param {Entry | null} entry of the list of models, null for a file of the user
 */
async function selectModel(name, read, entry) {
  const number = ++modelNumber, previous = loading;
  sessionNumber++; // stops the session with the previous model
  showMessage(`Loading ${name} …`);
  loading = (async () => {
    await previous.catch(() => null);
    if (number === modelNumber) await replaceModel(name, read, entry);
  })();
  try {
    await loading;
  } catch (error) {
    if (number !== modelNumber) return;
    picker.show(selection?.entry ?? null);
    runSession().catch(showError); // its end must not be awaited before the error is displayed
    throw selection ? new Error(`${errorMessage(error)}; ${selection.model.name} remains in use`) : error;
  }
  if (number !== modelNumber || !selection) return;
  showMessage("");
  latencies = [];
  picker.show(entry);
  setThreshold(selection.model.metadata?.person_threshold ?? 0);
  await showModelDetails(selection.model, entry?.champion ?? "");
  await runSession();
}

/**
 * Load a model in place of the selected one, which is loaded again after a failure.
 *
 * @param {string} name
 * @param {() => Promise<Uint8Array>} read
 * @param {Entry | null} entry
 */
async function replaceModel(name, read, entry) {
  const file = await read(), previous = selection;
  try {
    selection = { model: await load(name, file), file, entry };
  } catch (error) {
    selection = null;
    if (previous) selection = { ...previous, model: await load(previous.model.name, previous.file) };
    throw error;
  }
}

/** Load a model into the runtime, which is started first if necessary. */
async function load(/** @type {string} */ name, /** @type {Uint8Array} */ file) {
  try {
    if (!runtime) {
      runtime = new Runtime();
      await runtime.start();
    }
    return await loadPoseModel(runtime, name, file);
  } catch (error) {
    runtime?.terminate(); // its state is undefined after a failure
    runtime = null;
    throw error;
  }
}

/** Open a source and use it from now on. */
async function selectSource(/** @type {() => Promise<Source>} */ open) {
  const number = ++sourceNumber;
  const opened = await open();
  if (number !== sourceNumber) return opened.close();
  source?.close();
  source = opened;
  resultView.show(null);
  selectedRegion = null;
  latencies = [];
  view.canvas.classList.toggle("mirrored", source.isMirrored);
  view.canvas.classList.toggle("still", !source.isLive);
  cameraButton.setAttribute("aria-pressed", String(source.name === "camera"));
  seekBar.show(source);
  getElement("switch-camera", HTMLElement).hidden = source.name !== "camera";
  await runSession();
}

async function selectRegion(/** @type {CropRegion | null} */ region) {
  selectedRegion = region;
  await runSession();
}

/** Return whether people are searched for and tracked, which requires a model with confidence output. */
function isSearchEnabled(/** @type {PoseModel} */ model) {
  return searchBox.checked && model.codec.hasConfidence && !selectedRegion;
}

/** Return the selected maximum number of people. */
function maxPeople() {
  return Math.min(MAX_PEOPLE, Math.max(1, Math.floor(peopleInput.valueAsNumber) || 1));
}

function setThreshold(/** @type {number} */ value) {
  threshold = value;
  thresholdSlider.value = String(value);
  getElement("threshold-value", HTMLElement).textContent = value.toFixed(2);
}

/** Explain which region of the source the model predicts, and which side is left. */
function showHint(/** @type {Session} */ { model, source }) {
  const { hasConfidence } = model.codec, isSearched = isSearchEnabled(model), sentences = [];
  if (!hasConfidence) {
    sentences.push("This model has no confidence output, so it can neither search for people nor score them.");
  }
  if (selectedRegion) sentences.push("Only the selected region is used.");
  else if (!isSearched) sentences.push("The whole image is used.");
  if (!source.isLive && !selectedRegion) sentences.push("Drag a square around a person to use only that region.");
  if (isSearched && model.metadata?.person_threshold == null) {
    sentences.push("The threshold of this model is not calibrated.");
  }
  getElement("hint", HTMLElement).textContent = sentences.join(" ");
  getElement("clear-region", HTMLElement).hidden = !selectedRegion;
  searchBox.disabled = !hasConfidence;
  peopleInput.disabled = thresholdSlider.disabled = !isSearched;
  const viewpoint = model.metadata?.viewpoint ?? null;
  getElement("sides", HTMLElement).textContent = explainSides(viewpoint, source.isMirrored);
}

/** Display the source without a prediction, because there is no model. */
function showWithoutModel(/** @type {Source} */ source) {
  resultView.show(null);
  view.capture(source);
  view.drawImage([]);
  view.describe(`${source.name}, not predicted`);
  showStatus("Select a model, or open a .tflite file, to predict this image.");
}

/** Predict and display the source's images until the session is replaced; still images for a limited time. */
async function runSession() {
  const number = ++sessionNumber;
  if (!source) return;
  if (!selection || !runtime) return showWithoutModel(source);
  const session = { runtime, model: selection.model, source };
  const isCurrent = () => number === sessionNumber;
  showHint(session);
  const predictImage = createPredictor(session.model, {
    isLive: source.isLive,
    selectedRegion,
    isSearchEnabled: isSearchEnabled(session.model),
    maxPeople: maxPeople(),
    threshold: () => threshold,
    onSearch: () => {
      resultView.show(null);
      view.drawImage([]); // as a search can take seconds on a phone
      showStatus("Searching …");
    },
  });
  let begin = performance.now();
  /** Times of the images displayed within the last second, ms. @type {number[]} */
  let displayed = [];
  for (let count = 0; isCurrent(); count++) {
    const now = performance.now();
    if (!session.source.isLive && (count > MAX_REPEATS || now > begin + REPEAT_MS)) return;
    try {
      if (!count || !session.source.isPaused) await predictAndDisplay(session, predictImage, isCurrent);
    } catch (error) {
      if (isCurrent()) throw error;
    }
    if (!count) begin = performance.now(); // a search takes longer than all later predictions
    displayed = [...displayed.filter((time) => time > now - 1000), now];
    if (isCurrent()) showLatency(session.source.isLive ? displayed.length : null);
    if (isCurrent()) seekBar.update();
    if (!session.source.isLive && !resultView.hasPeople) return;
    if (session.source.isLive) await new Promise(requestAnimationFrame);
  }
}

/**
 * Predict the source's current image, and display the prediction if the session has not been replaced.
 *
 * @param {Session} session
 * @param {PredictImage} predictImage
 * @param {() => boolean} isCurrent
 */
async function predictAndDisplay({ runtime, model, source }, predictImage, isCurrent) {
  const { width, height, time } = source, image = view.capture(source);
  const predict = async (/** @type {CropRegion} */ region) => {
    const prediction = await predictRegion(runtime, model, image, region);
    if (!isCurrent()) throw new Error("the session was replaced");
    latencies = [...latencies.slice(1 - MAX_RUNS), prediction.ms];
    return prediction;
  };
  const people = await predictImage(predict, width, height);
  resultView.show({ model, source, time, people, isSearched: isSearchEnabled(model) });
}

/** Show the latency, and the images per second of a live source (null for a still image). */
function showLatency(/** @type {number | null} */ rate) {
  getElement("p50", HTMLElement).textContent = percentile(latencies, 50).toFixed(1);
  getElement("p95", HTMLElement).textContent = percentile(latencies, 95).toFixed(1);
  getElement("runs", HTMLElement).textContent = String(latencies.length);
  getElement("rate", HTMLElement).textContent = rate === null ? "–" : String(rate);
}

/** Open a selected or dropped file according to its type. */
async function openFile(/** @type {File} */ file) {
  if (file.name.endsWith(".tflite")) {
    await selectModel(file.name, async () => new Uint8Array(await file.arrayBuffer()), null);
  } else if (file.type.startsWith("video/")) {
    await selectSource(() => videoSource(file, file.name));
  } else {
    await selectSource(() => imageSource(file, file.name));
  }
}

async function openSample() {
  await selectSource(async () => imageSource(await (await fetchFile("sample.jpg")).blob(), "sample"));
}

async function openCamera() {
  await selectSource(() => cameraSource(facingMode));
}

for (const id of ["image-file", "video-file", "model-file"]) {
  const input = getElement(id, HTMLInputElement);
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    input.value = ""; // so that the same file can be selected again
    if (file) attempt(() => openFile(file));
  });
}
getElement("sample", HTMLElement).addEventListener("click", () => attempt(openSample));
cameraButton.addEventListener("click", () => attempt(openCamera));
getElement("switch-camera", HTMLElement).addEventListener("click", () => {
  facingMode = facingMode === "user" ? "environment" : "user";
  source?.close(); // most phones can open only one camera at a time
  attempt(openCamera);
});
getElement("clear-region", HTMLElement).addEventListener("click", () => attempt(() => selectRegion(null)));
searchBox.addEventListener("change", () => attempt(runSession));
peopleInput.addEventListener("change", () => {
  peopleInput.value = String(maxPeople());
  attempt(runSession);
});
thresholdSlider.addEventListener("input", () => {
  setThreshold(thresholdSlider.valueAsNumber);
  resultView.update();
});
thresholdSlider.addEventListener("change", () => {
  if (!source?.isLive) attempt(runSession); // searches for people whose score has been too low so far
});
enableRegionSelection(view.canvas, {
  isEnabled: () => source !== null && !source.isLive,
  onChange: (region) => {
    sessionNumber++; // stops the session
    view.drawImage([region]);
  },
  onSelect: (region) => attempt(() => selectRegion(region ?? selectedRegion)),
});

const seekBar = new SeekBar((seconds) =>
  attempt(async () => {
    await source?.seek(seconds);
    await runSession(); // people are searched for again, and a paused image is predicted
  }),
);

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dragging");
});
document.addEventListener("dragleave", () => document.body.classList.remove("dragging"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dragging");
  const file = event.dataTransfer?.files[0];
  if (file) attempt(() => openFile(file));
});

const picker = new ModelPicker(
  getElement("variants", HTMLElement),
  getElement("precisions", HTMLElement),
  (name, read, entry) => attempt(() => selectModel(name, read, entry)),
);
await attempt(async () => {
  await openSample();
  if (!(await picker.load(() => modelNumber === 0))) {
    showMessage("There are no models on this page yet; open a .tflite file");
  }
});
const startedRuntime = /** @type {Runtime | null} */ (runtime);
if (startedRuntime && (await cacheForOffline([INDEX, ...startedRuntime.files, ...picker.files]))) {
  getElement("offline", HTMLElement).textContent = "This page is stored on this device and works offline.";
}
