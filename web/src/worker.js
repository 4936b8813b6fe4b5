/** Worker that runs LiteRT and processes the requests of runtime.js one after the other. */

import { loadAndCompile, loadLiteRt, supportsFeature, Tensor } from "@litertjs/core";

import { fifthMedians } from "./latency.js";

/**
 * @typedef {import("@litertjs/core").CompiledModel} CompiledModel
 * @typedef {import("@litertjs/core").TensorDetails} TensorDetails
 * @typedef {import("./worker_messages.js").Functions} Functions
 * @typedef {import("./worker_messages.js").Request} Request
 * @typedef {import("./worker_messages.js").RunResult} RunResult
 * @typedef {import("./worker_messages.js").TensorInfo} TensorInfo
 */

/** Array types of the inputs that LiteRT.js supports. */
const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };
/** Minimum time between two progress messages, ms. */
const PROGRESS_INTERVAL = 500;

/** @type {CompiledModel | null} */
let model = null;
/** Random inputs of the model. @type {Tensor[]} */
let randomInputs = [];

/** @type {Functions} */
const functions = { start, load, run, measure };

let lastRequest = Promise.resolve();
self.onmessage = ({ data }) => {
  lastRequest = lastRequest.then(() => respond(data));
};

async function respond(/** @type {Request} */ { id, name, options }) {
  try {
    self.postMessage({ id, result: await functions[name](options) });
  } catch (error) {
    self.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

/** Load LiteRT's WebAssembly; more than one thread requires a cross-origin isolated page. @type {Functions["start"]} */
async function start({ folder, threads }) {
  /** @type {string[]} */
  const files = [];
  Object.assign(self, {
    Module: {
      locateFile(/** @type {string} */ name) {
        files.push(new URL(name, folder).href, new URL(name.replace(".wasm", ".js"), folder).href);
        return files[0];
      },
      mainScriptUrlOrBlob: new URL("litert_wasm_threaded_internal.js", folder).href,
      print() {}, // LiteRT logs every step
      printErr() {},
    },
  });
  await loadLiteRt(folder, { threads: threads > 1 });
  return { files, simd: (await supportsFeature("relaxedSimd")) ? "relaxed SIMD" : "SIMD" };
}

/** Load a model in place of the previous one, and run it once. @type {Functions["load"]} */
async function load({ file, threads }) {
  model?.delete();
  randomInputs.forEach((tensor) => tensor.delete());
  model = null;
  randomInputs = [];
  const begin = performance.now();
  const loaded = await loadAndCompile(file, { accelerator: "wasm", cpuOptions: { numThreads: threads } });
  const loadMs = performance.now() - begin;
  model = loaded;
  const details = loaded.getInputDetails();
  if (details.some(({ shape }) => shape.some((side) => side < 0))) {
    throw new Error("LiteRT.js does not support inputs of unknown size; convert the model with a fixed size");
  }
  randomInputs = details.map(randomTensor);
  const { ms: firstRunMs } = await timedRun(loaded, randomInputs);
  return {
    inputs: details.map(tensorInfo),
    outputs: loaded.getOutputDetails().map(tensorInfo),
    loadMs,
    firstRunMs,
    fullyDelegated: loaded.isFullyAccelerated,
  };
}

/** Run the model on a crop. @type {Functions["run"]} */
async function run({ crop }) {
  const loaded = loadedModel();
  const [{ dtype, shape }] = loaded.getInputDetails();
  const tensor = new Tensor(new (arrayType(dtype))(crop), shape);
  try {
    return await timedRun(loaded, [tensor]);
  } finally {
    tensor.delete();
  }
}

/** Measure the model on random inputs and report the progress. @type {Functions["measure"]} */
async function measure({ warmupRuns, runs, sustainedSeconds }) {
  const loaded = loadedModel();
  let lastReport = performance.now();
  const next = async (/** @type {number} */ completedRuns) => {
    const { ms } = await timedRun(loaded, randomInputs);
    if (performance.now() - lastReport > PROGRESS_INTERVAL) {
      lastReport = performance.now();
      self.postMessage({ completedRuns });
    }
    return ms;
  };
  for (let number = 0; number < warmupRuns; number++) await next(number);
  const samples = [];
  while (samples.length < runs) samples.push(await next(warmupRuns + samples.length));
  const sustained = [];
  const end = performance.now() + 1e3 * sustainedSeconds;
  while (performance.now() < end) sustained.push(await next(warmupRuns + runs));
  return {
    samples,
    sustained: sustained.length ? { runs: sustained.length, fifths: fifthMedians(sustained) } : null,
  };
}

function loadedModel() {
  if (!model) throw new Error("no model is loaded");
  return model;
}

/**
 * Run the model and return its first output and its latency.
 *
 * @param {CompiledModel} loaded
 * @param {Tensor[]} tensors
 * @returns {Promise<RunResult>}
 */
async function timedRun(loaded, tensors) {
  const begin = performance.now();
  const outputs = await loaded.run(tensors);
  const ms = performance.now() - begin;
  const output = /** @type {Float32Array} */ (outputs[0].toTypedArray());
  outputs.forEach((tensor) => tensor.delete());
  return { output, ms };
}

/** Return a random input like those of the other targets: floats and bytes in 0..255, other integers 0 and 1. */
function randomTensor(/** @type {TensorDetails} */ { dtype, shape }) {
  const limit = dtype === "int32" ? 2 : 256;
  const value = dtype === "float32" ? () => limit * Math.random() : () => Math.floor(limit * Math.random());
  const array = new (arrayType(dtype))(shape.reduce((product, side) => product * side, 1));
  for (let k = 0; k < array.length; k++) array[k] = value();
  return new Tensor(array, shape);
}

function arrayType(/** @type {string} */ dtype) {
  if (dtype === "float32" || dtype === "int32" || dtype === "uint8") return ARRAYS[dtype];
  throw new Error(`LiteRT.js does not support inputs of type ${dtype}`);
}

/** @returns {TensorInfo} */
function tensorInfo(/** @type {TensorDetails} */ { name, dtype, shape }) {
  return { name, dtype, shape: Array.from(shape) };
}
