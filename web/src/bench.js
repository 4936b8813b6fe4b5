/** The page as a target of `splitpose benchmark`: it asks for files, measures them, and posts what it found. */

import { about } from "./device.js";
import { percentile } from "./latency.js";
import { Runtime } from "./runtime.js";

/** ms between two words to the command while this device is busy. */
const WORD = 2000;
/** The command has no job for now; ask again. */
const NOT_YET = 204;

/**
 * @typedef {{number: number, model: string, threads: number[], runs: number, warmup_runs: number,
 *   sustained_seconds: number}} Job
 */

const element = (/** @type {string} */ id) => document.getElementById(id);
const progress = /** @type {HTMLProgressElement} */ (element("progress"));

/** This page's name for itself; a reload keeps it, because only the first page is measured. */
const page = (sessionStorage.page ??= crypto.getRandomValues(new Uint32Array(4)).join("-"));

/** Post to the command. */
function post(/** @type {string} */ path, /** @type {object} */ content) {
  return fetch(path, { method: "POST", body: JSON.stringify({ page, ...content }) });
}

/** What is to be measured next, as soon as the command knows; null when it has ended. @returns {Promise<Job | null>} */
async function nextJob() {
  for (;;) {
    const answer = await post("job", {}).catch(() => null);
    if (!answer) return null;
    if (!answer.ok) throw new Error(await answer.text());
    if (answer.status !== NOT_YET) return answer.json();
  }
}

/**
 * Measure a file with each number of threads, in a runtime of its own each.
 *
 * @param {Job} job
 * @param {Uint8Array} file
 * @param {(done: number) => void} told hears how many runs are done
 */
async function measure(job, file, told) {
  const [first] = job.threads, each = job.warmup_runs + job.runs;
  let facts = {}, before = 0;
  const samples = [];
  for (const threads of job.threads) {
    if (threads > 1 && !crossOriginIsolated) {
      throw new Error("more than one thread needs an address on https or 127.0.0.1; take --threads 1");
    }
    const runtime = new Runtime((done) => told(before + done));
    try {
      await runtime.start(threads);
      const loaded = await runtime.load(file);
      const times = await runtime.measure({
        warmupRuns: job.warmup_runs,
        runs: job.runs,
        sustainedSeconds: threads === first ? job.sustained_seconds : 0,
      });
      if (threads === first) {
        const { runs, fifths } = times.sustained ?? {};
        facts = {
          device: await about(runtime.simd),
          load_ms: rounded(loaded.loadMs),
          first_run_ms: rounded(loaded.firstRunMs),
          fully_delegated: loaded.fullyDelegated,
          sustained: runs ? { runs, fifths_ms: fifths.map(rounded) } : null,
        };
      }
      samples.push({ threads, samples_ms: times.samples.map(rounded) });
      show(job.model, threads, times.samples);
    } finally {
      runtime.end();
    }
    told((before += each));
  }
  return { ...facts, by_threads: samples };
}

const rounded = (/** @type {number} */ ms) => Number(ms.toFixed(4));

function show(/** @type {string} */ model, /** @type {number} */ threads, /** @type {number[]} */ samples) {
  const row = /** @type {HTMLTableElement} */ (element("rows")).insertRow();
  const times = [50, 95].map((percent) => percentile(samples, percent).toFixed(2));
  const cells = [model.replace(/\.tflite$/, ""), String(threads), ...times];
  for (const text of cells) row.insertCell().textContent = text;
}

function say(/** @type {string} */ text, bad = false) {
  element("message").textContent = text;
  element("message").classList.toggle("bad", bad);
}

/** Do a job and tell the command; throws where it could not be done. */
async function work(/** @type {Job} */ job) {
  const { number, model } = job, all = job.threads.length * (job.warmup_runs + job.runs);
  let done = 0;
  say(`Measuring ${model} …`);
  const word = setInterval(() => post("word", { number, done }).catch(() => null), WORD);
  let found;
  try {
    const file = new Uint8Array(await (await fetch("model")).arrayBuffer());
    found = await measure(job, file, (runs) => {
      done = runs;
      progress.value = runs / all;
    });
  } catch (error) {
    await post("failed", { number, failed: error.message.slice(0, 300) });
    throw new Error(`${model}: ${error.message}`, { cause: error });
  } finally {
    clearInterval(word);
  }
  const answer = await post("found", { number, ...found });
  if (!answer.ok) throw new Error(await answer.text());
}

async function main() {
  await navigator.wakeLock?.request("screen").catch(() => null); // a screen that goes dark stops the page
  let job = await nextJob();
  if (!job) return say("The command has ended; start it again.");
  while (job) {
    await work(job);
    job = await nextJob();
  }
  say("Done; the command has the result. You can close this page.");
}

await main().catch((error) => say(error.message, true));
progress.hidden = true;
