/** The page: displays the joints that the selected model predicts in an image, in a video or for the camera. */

import { errorMessage, getElement, showMessage } from "./dom.js";
import { drawStrokes, strokes } from "./drawing.js";
import { fetchFile } from "./fetch_file.js";
import { cropRegion, fullImageRegion, ImagePyramid } from "./geometry.js";
import { percentile } from "./latency.js";
import { showModelDetails } from "./model_details.js";
import { INDEX, ModelPicker } from "./model_picker.js";
import { cacheForOffline } from "./offline.js";
import { PersonTracker } from "./person_tracker.js";
import { loadPoseModel, predictRegion } from "./pose_model.js";
import { enableRegionSelection } from "./region_selection.js";
import { Runtime } from "./runtime.js";
import { search } from "./sliding_window.js";
import { cameraSource, imageSource, videoSource } from "./sources.js";

/**
 * @typedef {import("./geometry.js").CropRegion} CropRegion
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./pose_model.js").PoseModel} PoseModel
 * @typedef {import("./sliding_window.js").PredictRegion} PredictRegion
 * @typedef {import("./sliding_window.js").Prediction} Prediction
 * @typedef {import("./sources.js").Source} Source
 * @typedef {{runtime: Runtime, model: PoseModel, source: Source}} Session
 *
 * Predicts the person in an image of the given size, with a function that predicts one region of it:
 * @typedef {(predict: PredictRegion, width: number, height: number) => Promise<Prediction>} PredictImage
 */

/** Maximum number of the latest runs that the latency is computed from. */
const MAX_RUNS = 200;
/** Maximum number and duration, ms, of repeated predictions of a still image, which measure the latency. */
const MAX_REPEATS = 30, REPEAT_MS = 1500;
/** Padding of regions around joints, for models without metadata or trained with regions from other boxes. */
const DEFAULT_PADDING = 1.5;

const canvas = getElement("image", HTMLCanvasElement), context = context2d(canvas);
const searchBox = getElement("search", HTMLInputElement), pauseButton = getElement("pause", HTMLButtonElement);
const cameraButton = getElement("camera", HTMLButtonElement);
const frame = context2d(document.createElement("canvas"), { willReadFrequently: true });

/** @type {Runtime | null} */
let runtime = null;
/** @type {PoseModel | null} */
let model = null;
/** @type {Source | null} */
let source = null;
/** Region of a still image that the user has selected. @type {CropRegion | null} */
let selectedRegion = null;
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
    showMessage(errorMessage(error), true);
    console.info(error);
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} settings
 */
function context2d(canvas, settings = {}) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("this browser does not support 2D canvases");
  return context;
}

/** Load a model and use it from now on. */
async function selectModel(/** @type {string} */ name, /** @type {() => Promise<Uint8Array>} */ read) {
  const number = ++modelNumber;
  sessionNumber++; // stops the session with the previous model
  model = null;
  showMessage(`Loading ${name} …`);
  const previous = loading;
  loading = (async () => {
    await previous.catch(() => null);
    if (number === modelNumber) model = await load(name, await read());
  })();
  await loading;
  if (number !== modelNumber || !model) return;
  showMessage("");
  latencies = [];
  showModelDetails(getElement("metadata", HTMLElement), getElement("viewpoint", HTMLElement), model);
  await runSession();
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
  selectedRegion = null;
  latencies = [];
  canvas.classList.toggle("mirrored", source.isMirrored);
  canvas.classList.toggle("still", !source.isLive);
  cameraButton.setAttribute("aria-pressed", String(source.name === "camera"));
  pauseButton.hidden = !source.isLive;
  pauseButton.textContent = "Pause";
  getElement("switch-camera", HTMLElement).hidden = source.name !== "camera";
  await runSession();
}

async function selectRegion(/** @type {CropRegion | null} */ region) {
  selectedRegion = region;
  await runSession();
}

/** Return whether the person is searched for and tracked, which requires a model with confidence output. */
function isSearchEnabled(/** @type {PoseModel} */ model) {
  return searchBox.checked && model.codec.hasConfidence;
}

/** Explain which region of the source the model predicts. */
function showHint(/** @type {Session} */ { model, source }) {
  const { hasConfidence } = model.codec, sentences = [];
  const whole = hasConfidence
    ? "The whole image is used."
    : "This model has no confidence output, so it cannot search for a person; the whole image is used.";
  if (!source.isLive && !selectedRegion) {
    sentences.push(
      isSearchEnabled(model) ? "The image is searched for a person." : whole,
      "Drag a square around a person to use only that region.",
    );
  } else if (source.isLive && !hasConfidence) {
    sentences.push(whole);
  }
  if (source.isMirrored) sentences.push("The image is mirrored.");
  getElement("hint", HTMLElement).textContent = sentences.join(" ");
  getElement("clear-region", HTMLElement).hidden = !selectedRegion;
  searchBox.disabled = !hasConfidence;
}

/** Predict and display the source's images until the session is replaced; still images for a limited time. */
async function runSession() {
  const number = ++sessionNumber;
  if (!source || !model || !runtime) return;
  const session = { runtime, model, source };
  const isCurrent = () => number === sessionNumber;
  showHint(session);
  const predictImage = createPredictor(session);
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
    if (session.source.isLive) await new Promise(requestAnimationFrame);
  }
}

/**
 * Return the function that predicts a session's images: in the selected region, in the region of a search or of the
 * person tracker, or in the whole image.
 *
 * @param {Session} session
 * @returns {PredictImage}
 */
function createPredictor({ model, source }) {
  const selected = selectedRegion;
  if (selected) return (predict) => predict(selected);
  if (!isSearchEnabled(model)) return (predict, width, height) => predict(fullImageRegion(width, height));
  const padding = model.metadata?.region_from === "joints" ? model.metadata.padding : DEFAULT_PADDING;
  const cropPolicy = (/** @type {Point[]} */ joints) => cropRegion(joints, padding);
  if (source.isLive) {
    const tracker = new PersonTracker(cropPolicy);
    return (predict, width, height) => tracker.update(predict, width, height, () => performance.now() / 1000);
  }
  /** @type {CropRegion | null} */
  let found = null;
  return async (predict, width, height) => {
    found ??= await searchWithMessage(() => search(predict, width, height, cropPolicy));
    return predict(found);
  };
}

/** Run a search and return its region; the image is displayed meanwhile, as it can take seconds on a phone. */
async function searchWithMessage(/** @type {() => Promise<Prediction>} */ search) {
  drawImage(null);
  showMessage("Searching …");
  const { region } = await search();
  showMessage("");
  return region;
}

/**
 * Predict the source's current image, and display the prediction if the session has not been replaced.
 *
 * @param {Session} session
 * @param {PredictImage} predictImage
 * @param {() => boolean} isCurrent
 */
async function predictAndDisplay({ runtime, model, source }, predictImage, isCurrent) {
  const { width, height } = source;
  frame.canvas.width = width;
  frame.canvas.height = height;
  frame.drawImage(source.content, 0, 0, width, height);
  const image = new ImagePyramid(frame.getImageData(0, 0, width, height));
  const predict = async (/** @type {CropRegion} */ region) => {
    const prediction = await predictRegion(runtime, model, image, region);
    if (!isCurrent()) throw new Error("the session was replaced");
    latencies = [...latencies.slice(1 - MAX_RUNS), prediction.ms];
    return prediction;
  };
  const { joints, confidence, region } = await predictImage(predict, width, height);
  drawImage(region);
  drawStrokes(context, strokes(joints, confidence, model.joints, width, height));
  canvas.setAttribute("aria-label", `${source.name} with the joints that ${model.name} predicts`);
  canvas.dataset.joints = JSON.stringify(joints);
  canvas.dataset.region = JSON.stringify(region);
}

/** Draw the current image, and the outline of a region unless it is null. */
function drawImage(/** @type {CropRegion | null} */ region) {
  const { width, height } = frame.canvas;
  canvas.width = width;
  canvas.height = height;
  canvas.style.setProperty("--ratio", String(width / height));
  context.drawImage(frame.canvas, 0, 0);
  if (!region) return;
  const { x, y, side } = region, thickness = Math.max(1, Math.min(width, height) / 300);
  context.setLineDash([4 * thickness, 3 * thickness]);
  context.lineWidth = thickness;
  context.strokeStyle = "#ffffff";
  context.strokeRect(x + 0.5 - side / 2, y + 0.5 - side / 2, side, side);
  context.setLineDash([]);
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
    picker.clear();
    await selectModel(file.name, async () => new Uint8Array(await file.arrayBuffer()));
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
pauseButton.addEventListener("click", () => {
  pauseButton.textContent = source?.togglePause() ? "Play" : "Pause";
});
getElement("clear-region", HTMLElement).addEventListener("click", () => attempt(() => selectRegion(null)));
searchBox.addEventListener("change", () => attempt(runSession));
enableRegionSelection(canvas, {
  isEnabled: () => source !== null && !source.isLive,
  onChange: (region) => {
    sessionNumber++; // stops the session
    drawImage(region);
  },
  onSelect: (region) => attempt(() => selectRegion(region ?? selectedRegion)),
});

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
  (name, read) => attempt(() => selectModel(name, read)),
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
