/** The page of the browser target of `splitpose benchmark`: requests jobs, measures files and posts the results. */

import { describeDevice } from "./device.js";
import { errorMessage, getElement, showMessage } from "./dom.js";
import { percentile } from "./latency.js";
import { Runtime } from "./runtime.js";

/** Time between two progress messages to the command, ms. */
const PROGRESS_INTERVAL = 2000;
/** Status of a response without a job; the page then sends the request again. */
const NO_CONTENT = 204;
/** Maximum length of an error in a message to the command. */
const MAX_ERROR_LENGTH = 300;

/**
 * A file to measure; splitpose/benchmark/targets/messages.py describes the page's messages.
 *
 * @typedef {object} Job
 * @property {number} number
 * @property {string} model name of the file
 * @property {number[]} threads
 * @property {number} runs
 * @property {number} warmup_runs
 * @property {number} sustained_seconds
 */

const progress = getElement("progress", HTMLProgressElement);

/** Random id of this page; it survives a reload, because only the first page is measured. @type {string} */
const page = (sessionStorage.page ??= crypto.getRandomValues(new Uint32Array(4)).join("-"));

/** Post a message to the command. */
function post(/** @type {string} */ path, /** @type {object} */ message) {
  return fetch(path, { method: "POST", body: JSON.stringify({ page, ...message }) });
}

/** Request jobs until there is one; return null if the command has ended. @returns {Promise<Job | null>} */
async function nextJob() {
  for (;;) {
    const response = await post("job", {}).catch(() => null);
    if (!response) return null;
    if (!response.ok) throw new Error(await response.text());
    if (response.status !== NO_CONTENT) return response.json();
  }
}

/**
 * Measure a file with each number of threads, each in a new runtime.
 *
 * @param {Job} job
 * @param {Uint8Array} file
 * @param {(completedRuns: number) => void} onProgress receives the number of completed runs
 * @returns {Promise<object>} the result without the page and the job's number
 */
async function measure(job, file, onProgress) {
  const [firstThreads] = job.threads;
  let facts = {}, completedRuns = 0;
  const byThreads = [];
  for (const threads of job.threads) {
    if (threads > 1 && !crossOriginIsolated) {
      throw new Error("more than one thread requires an address on https or 127.0.0.1; use --threads 1");
    }
    const runtime = new Runtime((runs) => onProgress(completedRuns + runs));
    try {
      await runtime.start(threads);
      const loaded = await runtime.load(file);
      const { samples, sustained } = await runtime.measure({
        warmupRuns: job.warmup_runs,
        runs: job.runs,
        sustainedSeconds: threads === firstThreads ? job.sustained_seconds : 0,
      });
      if (threads === firstThreads) {
        facts = {
          device: await describeDevice(runtime.simd),
          load_ms: round(loaded.loadMs),
          first_run_ms: round(loaded.firstRunMs),
          fully_delegated: loaded.fullyDelegated,
          sustained: sustained && { runs: sustained.runs, fifths_ms: sustained.fifths.map(round) },
        };
      }
      byThreads.push({ threads, samples_ms: samples.map(round) });
      addRow(job.model, threads, samples);
    } finally {
      runtime.terminate();
    }
    completedRuns += job.warmup_runs + job.runs;
    onProgress(completedRuns);
  }
  return { ...facts, by_threads: byThreads };
}

function round(/** @type {number} */ ms) {
  return Number(ms.toFixed(4));
}

/** Add the latency of a model with a number of threads to the table. */
function addRow(/** @type {string} */ model, /** @type {number} */ threads, /** @type {number[]} */ samples) {
  const row = getElement("rows", HTMLTableSectionElement).insertRow();
  const times = [50, 95].map((percent) => percentile(samples, percent).toFixed(2));
  for (const text of [model.replace(/\.tflite$/, ""), String(threads), ...times]) row.insertCell().textContent = text;
}

/** Measure a job's file and post the result, or the reason for the failure. */
async function run(/** @type {Job} */ job) {
  const { number, model } = job, totalRuns = job.threads.length * (job.warmup_runs + job.runs);
  let completedRuns = 0, result;
  showMessage(`Measuring ${model} …`);
  const timer = setInterval(
    () => post("progress", { number, completed_runs: completedRuns }).catch(() => null),
    PROGRESS_INTERVAL,
  );
  try {
    const file = new Uint8Array(await (await fetch("model")).arrayBuffer());
    result = await measure(job, file, (runs) => {
      completedRuns = runs;
      progress.value = runs / totalRuns;
    });
  } catch (error) {
    await post("failure", { number, error: errorMessage(error).slice(0, MAX_ERROR_LENGTH) });
    throw new Error(`${model}: ${errorMessage(error)}`, { cause: error });
  } finally {
    clearInterval(timer);
  }
  const response = await post("result", { number, ...result });
  if (!response.ok) throw new Error(await response.text());
}

async function main() {
  await navigator.wakeLock?.request("screen").catch(() => null); // the page stops when the screen turns off
  let job = await nextJob();
  if (!job) return showMessage("The command has ended; start it again.");
  while (job) {
    await run(job);
    job = await nextJob();
  }
  showMessage("Done; the command has the result. You can close this page.");
}

await main().catch((error) => showMessage(errorMessage(error), true));
progress.hidden = true;
