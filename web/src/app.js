/** The page: what is looked at, which model looks, and what it found. */

import { showCard } from "./about.js";
import { Picture, regionOf, wholePicture } from "./crop.js";
import { paint, strokes } from "./draw.js";
import { fetched } from "./fetched.js";
import { Follower } from "./follow.js";
import { percentile } from "./latency.js";
import { chooseModels, INDEX } from "./models.js";
import { keepOffline } from "./offline.js";
import { open, predict } from "./predict.js";
import { Runtime } from "./runtime.js";
import { search } from "./search.js";
import { cameraSource, pictureSource, videoSource } from "./sources.js";
import { drawnSquare } from "./square.js";

/** Runs that the figures are of. */
const WINDOW = 200;
/** How often, and ms how long at most, a still picture is looked at again for the figures' sake. */
const AGAIN = 30, AGAIN_MS = 1500;
/** Of a square around joints, for models that were trained with other boxes, or do not say. */
const MARGIN = 1.5;

const element = (/** @type {string} */ id) => document.getElementById(id);
const canvas = /** @type {HTMLCanvasElement} */ (element("picture"));
const tick = /** @type {HTMLInputElement} */ (element("find"));
const frame = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** @type {Runtime | null} */
let runtime = null;
/** @type {import("./predict.js").Model | null} */
let model = null;
/** @type {import("./sources.js").Source | null} */
let source = null;
/** The square that somebody has drawn into a still picture. @type {import("./crop.js").Region | null} */
let drawn = null;
/** @type {"user" | "environment"} */
let facing = "user";
/** Of the model's latest runs, ms. @type {number[]} */
let times = [];
/** Raised by whatever makes obsolete what is under way: looking, opening a source, loading a model. */
let turn = 0, sourcesAsked = 0, modelsAsked = 0;
/** The latest load; one waits for the other. @type {Promise<void>} */
let loading = Promise.resolve();

/** Do it; an error becomes the message, and what is shown stays. */
async function attempt(/** @type {() => Promise<void>} */ action) {
  try {
    say("");
    await action();
  } catch (error) {
    say(error.message, true);
    console.info(error);
  }
}

function say(/** @type {string} */ text, bad = false) {
  element("message").textContent = text;
  element("message").classList.toggle("bad", bad);
}

/** Look with the model in a file from now on. */
async function useModel(/** @type {string} */ name, /** @type {() => Promise<Uint8Array>} */ read) {
  const mine = ++modelsAsked;
  turn++; // what is looked at now is looked at with the model before
  model = null;
  say(`Loading ${name} …`);
  const before = loading;
  loading = (async () => {
    await before.catch(() => null);
    if (mine === modelsAsked) model = await loaded(name, await read());
  })();
  await loading;
  if (mine !== modelsAsked) return;
  say("");
  times = [];
  showCard(element("card"), element("viewpoint"), model);
  await look();
}

/** A model in the runtime, which is started where there is none. */
async function loaded(/** @type {string} */ name, /** @type {Uint8Array} */ file) {
  try {
    if (!runtime) {
      runtime = new Runtime();
      await runtime.start();
    }
    return await open(runtime, name, file);
  } catch (error) {
    runtime?.end(); // a file that fails may leave the runtime in any state
    runtime = null;
    throw error;
  }
}

/** Look at something else from now on. */
async function useSource(/** @type {() => Promise<import("./sources.js").Source>} */ make) {
  const mine = ++sourcesAsked;
  const made = await make();
  if (mine !== sourcesAsked) return made.end();
  source?.end();
  source = made;
  drawn = null;
  times = [];
  canvas.classList.toggle("mirrored", source.mirrored);
  canvas.classList.toggle("still", !source.live);
  element("camera").setAttribute("aria-pressed", String(source.name === "camera"));
  element("pause").hidden = !source.live;
  element("pause").textContent = "Pause";
  element("turn").hidden = source.name !== "camera";
  await look();
}

/** What is looked at, in words. */
function hint() {
  const { givesConfidence } = model.codec, words = [];
  const where = givesConfidence ? "The whole picture is looked at" : "This model gives no confidence: nobody is searched";
  if (!source.live && !drawn) {
    words.push(`${finds() ? "The person is searched" : where}; draw a square around a person to look only there.`);
  } else if (source.live && !givesConfidence) words.push(`${where}, the whole picture is looked at.`);
  if (source.mirrored) words.push("Shown as in a mirror.");
  element("hint").textContent = words.join(" ");
  element("no-square").hidden = !drawn;
  tick.disabled = !givesConfidence;
}

/** Whether somebody is searched, and followed: by models that know how sure they are. */
function finds() {
  return tick.checked && model.codec.givesConfidence;
}

/** Look at the source until something else is wanted: for a while at a picture, for ever at what moves. */
async function look() {
  const mine = ++turn;
  if (!source || !model) return;
  hint();
  const current = () => mine === turn;
  const person = finder();
  let begin = performance.now();
  /** @type {number[]} When pictures were shown within the last second. */
  let shown = [];
  for (let number = 0; current(); number++) {
    const now = performance.now();
    if (!source.live && (number > AGAIN || now > begin + AGAIN_MS)) return;
    try {
      if (!number || !source.paused) await lookOnce(person, current);
    } catch (error) {
      if (current()) throw error;
    }
    if (!number) begin = performance.now(); // a search takes longer than all looks after it
    shown = [...shown.filter((time) => time > now - 1000), now];
    if (current()) showFigures(source.live ? shown.length : null);
    if (source.live) await new Promise(requestAnimationFrame);
  }
}

/**
 * What finds the person in one picture after the other: in the square that was drawn, where a search or the picture
 * before tells, or in the whole picture.
 *
 * @typedef {(look: import("./search.js").Look, width: number, height: number) => Promise<import("./search.js").Seen>} Finder
 * @returns {Finder}
 */
function finder() {
  if (drawn) return (look) => look(drawn);
  if (!finds()) return (look, width, height) => look(wholePicture(width, height));
  const margin = model.card?.crop_around === "joints" ? model.card.crop_margin : MARGIN;
  const around = (/** @type {import("./crop.js").Point[]} */ joints) => regionOf(joints, margin);
  if (source.live) {
    const follower = new Follower(around);
    return (look, width, height) => follower.see(look, width, height, () => performance.now() / 1000);
  }
  /** @type {import("./crop.js").Region | null} */
  let found = null;
  return async (look, width, height) => {
    found ??= await searched(() => search(look, width, height, around));
    return look(found);
  };
}

/** The square of whom a search finds; the picture is shown meanwhile, as on a phone it may take seconds. */
async function searched(/** @type {() => Promise<import("./search.js").Seen>} */ find) {
  showPicture(null);
  say("Searching …");
  const { region } = await find();
  say("");
  return region;
}

/** Look at the source as it is now; show what is found if that is still wanted. */
async function lookOnce(/** @type {Finder} */ person, /** @type {() => boolean} */ current) {
  const { width, height } = source;
  frame.canvas.width = width;
  frame.canvas.height = height;
  frame.drawImage(source.content, 0, 0, width, height);
  const picture = new Picture(frame.getImageData(0, 0, width, height));
  const lookAtSquare = async (/** @type {import("./crop.js").Region} */ region) => {
    const seen = await predict(runtime, model, picture, region);
    if (!current()) throw new Error("something else is wanted by now");
    times = [...times.slice(1 - WINDOW), seen.ms];
    return seen;
  };
  const { joints, confidence, region } = await person(lookAtSquare, width, height);
  showPicture(region);
  paint(canvas.getContext("2d"), strokes(joints, confidence, model.joints, width, height));
  canvas.setAttribute("aria-label", `${source.name} with the joints that ${model.name} found`);
  canvas.dataset.joints = JSON.stringify(joints);
  canvas.dataset.square = JSON.stringify(region);
}

/** The picture alone, with the square that is looked at. */
function showPicture(/** @type {import("./crop.js").Region | null} */ square) {
  const { width, height } = frame.canvas;
  canvas.width = width;
  canvas.height = height;
  canvas.style.setProperty("--ratio", String(width / height));
  const context = canvas.getContext("2d");
  context.drawImage(frame.canvas, 0, 0);
  if (!square) return;
  const { x, y, side } = square, thin = Math.max(1, Math.min(width, height) / 300);
  context.setLineDash([4 * thin, 3 * thin]);
  context.lineWidth = thin;
  context.strokeStyle = "#ffffff";
  context.strokeRect(x + 0.5 - side / 2, y + 0.5 - side / 2, side, side);
  context.setLineDash([]);
}

function showFigures(/** @type {number | null} */ rate) {
  element("p50").textContent = percentile(times, 50).toFixed(1);
  element("p95").textContent = percentile(times, 95).toFixed(1);
  element("runs").textContent = String(times.length);
  element("rate").textContent = rate === null ? "–" : String(rate);
}

async function lookAt(/** @type {import("./crop.js").Region | null} */ square) {
  drawn = square;
  await look();
}

/** A file that was chosen or dropped, by what it is. */
async function openFile(/** @type {File} */ file) {
  if (file.name.endsWith(".tflite")) {
    models.none();
    await useModel(file.name, async () => new Uint8Array(await file.arrayBuffer()));
  } else if (file.type.startsWith("video/")) {
    await useSource(() => videoSource(file, file.name));
  } else {
    await useSource(() => pictureSource(file, file.name));
  }
}

async function useSample() {
  await useSource(async () => pictureSource(await (await fetched("sample.jpg")).blob(), "sample"));
}

for (const id of ["picture-file", "video-file", "model-file"]) {
  const input = /** @type {HTMLInputElement} */ (element(id));
  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = ""; // so that the same file can be chosen again
    if (file) attempt(() => openFile(file));
  });
}
element("sample").addEventListener("click", () => attempt(useSample));
element("camera").addEventListener("click", () => attempt(() => useSource(() => cameraSource(facing))));
element("turn").addEventListener("click", () => {
  facing = facing === "user" ? "environment" : "user";
  source.end(); // most phones give one camera at a time
  attempt(() => useSource(() => cameraSource(facing)));
});
element("pause").addEventListener("click", () => {
  element("pause").textContent = source.pause() ? "Play" : "Pause";
});
element("no-square").addEventListener("click", () => attempt(() => lookAt(null)));
tick.addEventListener("change", () => attempt(look));
drawnSquare(
  canvas,
  () => source && !source.live,
  (square) => {
    turn++;
    showPicture(square);
  },
  (square) => attempt(() => lookAt(square ?? drawn)),
);

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("over");
});
document.addEventListener("dragleave", () => document.body.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) attempt(() => openFile(file));
});

const models = chooseModels(element("variants"), element("precisions"), (name, read) =>
  attempt(() => useModel(name, read)),
);
await attempt(async () => {
  await useSample();
  if (!(await models.offer(() => modelsAsked === 0))) {
    say("There are no models here yet: `make repro` trains them, `make demo` brings them; or open a .tflite file");
  }
});
if (runtime && (await keepOffline([INDEX, ...runtime.files, ...models.files]))) {
  element("offline").textContent = "Kept on this device: this page now works without a network.";
}
