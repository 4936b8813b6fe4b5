/** The thread in which LiteRT runs, so that the page never waits. It answers the calls of runtime.js in turn. */

import { loadAndCompile, loadLiteRt, supportsFeature, Tensor } from "@litertjs/core";

import { fifths } from "./latency.js";

const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

let model = null;
let inputs = [];

const calls = { start, load, run, measure };

let turn = Promise.resolve();
self.onmessage = ({ data }) => {
  turn = turn.then(() => answer(data));
};

async function answer({ number, call, given }) {
  try {
    self.postMessage({ number, answer: await calls[call](given) });
  } catch (error) {
    self.postMessage({ number, failed: error instanceof Error ? error.message : String(error) });
  }
}

/** Load LiteRT's WebAssembly from a folder's address; more than one thread needs an isolated page. */
async function start({ folder, threads }) {
  const files = [];
  self.Module = {
    locateFile(name) {
      files.push(new URL(name, folder).href, new URL(name.replace(".wasm", ".js"), folder).href);
      return files[0];
    },
    mainScriptUrlOrBlob: new URL("litert_wasm_threaded_internal.js", folder).href,
    print() {}, // LiteRT tells of every step, which is of no use here
    printErr() {},
  };
  await loadLiteRt(folder, { threads: threads > 1 });
  return { files, simd: (await supportsFeature("relaxedSimd")) ? "relaxed SIMD" : "SIMD" };
}

/** Load a model in place of the one before, and run it once. */
async function load({ file, threads }) {
  model?.delete();
  inputs.forEach((tensor) => tensor.delete());
  model = null;
  inputs = [];
  const begin = performance.now();
  model = await loadAndCompile(file, { accelerator: "wasm", cpuOptions: { numThreads: threads } });
  const loadMs = performance.now() - begin;
  const details = model.getInputDetails();
  if (details.some(({ shape }) => shape.some((side) => side < 0))) {
    throw new Error("LiteRT.js runs no inputs of open size; convert the model with fixed ones");
  }
  inputs = details.map(({ dtype, shape }) => new Tensor(noise(dtype, shape.reduce((a, b) => a * b, 1)), shape));
  const [firstRunMs] = await timed(inputs);
  return {
    inputs: described(details),
    outputs: described(model.getOutputDetails()),
    loadMs,
    firstRunMs,
    fullyDelegated: model.isFullyAccelerated,
  };
}

/** One crop through the model: {output, ms}, the time that of the model alone. */
async function run({ crop }) {
  const [{ dtype, shape }] = model.getInputDetails();
  const tensor = new Tensor(new ARRAYS[dtype](crop), shape);
  try {
    const [ms, output] = await timed([tensor]);
    return { ms, output };
  } finally {
    tensor.delete();
  }
}

/** Times of runs on noise, ms: {samples, fifths}. Tells the page how far it is about twice a second. */
async function measure({ warmupRuns, runs, sustainedSeconds }) {
  let told = performance.now();
  const next = async (done) => {
    const [ms] = await timed(inputs);
    if (performance.now() - told > 500) {
      told = performance.now();
      self.postMessage({ done });
    }
    return ms;
  };
  for (let number = 0; number < warmupRuns; number++) await next(number);
  const samples = [];
  while (samples.length < runs) samples.push(await next(warmupRuns + samples.length));
  const sustained = [];
  const end = performance.now() + 1e3 * sustainedSeconds;
  while (performance.now() < end) sustained.push(await next(warmupRuns + runs));
  return { samples, sustained: sustained.length ? { runs: sustained.length, fifths: fifths(sustained) } : null };
}

/** Run the model: its time in ms, and its first output. */
async function timed(/** @type {Tensor[]} */ tensors) {
  const begin = performance.now();
  const outputs = await model.run(tensors);
  const ms = performance.now() - begin;
  const output = outputs[0].toTypedArray();
  outputs.forEach((tensor) => tensor.delete());
  return [ms, output];
}

/** Random values, as the other devices take them: floats and bytes over 0..255, other whole numbers 0 and 1. */
function noise(/** @type {string} */ dtype, /** @type {number} */ length) {
  const most = dtype === "int32" ? 2 : 256;
  const value = dtype === "float32" ? () => most * Math.random() : () => Math.floor(most * Math.random());
  return ARRAYS[dtype].from({ length }, value);
}

const described = (details) => details.map(({ name, dtype, shape }) => ({ name, dtype, shape: Array.from(shape) }));
