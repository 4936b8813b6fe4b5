/** The page as a target of `splitpose benchmark`: it asks for files, measures them, and posts what it found. */

import { about } from "./device.js";
import { percentile } from "./latency.js";
import { Runtime } from "./runtime.js";

/** How often the command is looked for between two files, and ms between that: it is away for a moment. */
const ATTEMPTS = 2, PAUSE = 500;
/** ms between two words to the command while the device is busy. */
const WORD = 2000;

const element = (/** @type {string} */ id) => document.getElementById(id);
const progress = /** @type {HTMLProgressElement} */ (element("progress"));

/** One page only is measured, and a reload does not make it another one. */
const page = (sessionStorage.page ??= Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16)).join("-"));

/**
 * @typedef {{number: number, model: string, threads: number[], runs: number, warm_up_runs: number,
 *   sustained_seconds: number}} Job
 */

/** Post to the command. @returns {Promise<Response>} */
function post(/** @type {string} */ path, /** @type {object} */ content) {
  const headers = { "Content-Type": "application/json" };
  return fetch(path, { method: "POST", headers, body: JSON.stringify({ page, ...content }) });
}

/** What is to be measured next; null when the command has ended. @returns {Promise<Job | null>} */
async function nextJob() {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const answer = await post("job", {}).catch(() => null);
    if (answer?.status === 409) throw new Error(await answer.text());
    if (answer?.ok) return answer.json();
    await pause();
  }
  return null;
}

/** Measure a file with each number of threads, in a runtime of its own each. */
async function measure(/** @type {Job} */ job, /** @type {Uint8Array} */ file) {
  const options = { warmUpRuns: job.warm_up_runs, runs: job.runs };
  const all = job.threads.length * (job.warm_up_runs + job.runs);
  let before = 0;
  const done = (/** @type {number} */ runs) => {
    progress.value = (before + runs) / all;
    job.done = before + runs;
  };
  const found = { by_threads: [] };
  for (const threads of job.threads) {
    if (threads > 1 && !crossOriginIsolated) {
      throw new Error("more than one thread needs an address on https or 127.0.0.1; take --threads 1");
    }
    const runtime = new Runtime(done);
    try {
      await runtime.start(threads);
      const loaded = await runtime.load(file);
      const first = !found.by_threads.length;
      const times = await runtime.measure({ ...options, sustainedSeconds: first ? job.sustained_seconds : 0 });
      found.by_threads.push({ threads, samples_ms: times.samples.map(rounded) });
      if (first) {
        found.device = await about(runtime.simd);
        found.load_ms = rounded(loaded.loadMs);
        found.first_run_ms = rounded(loaded.firstRunMs);
        found.fully_delegated = loaded.fullyDelegated;
        found.sustained = times.sustained && { runs: times.sustained.runs, fifths_ms: times.sustained.fifths.map(rounded) };
      }
      show(job.model, threads, times.samples);
    } finally {
      runtime.end();
    }
    done((before += job.warm_up_runs + job.runs));
  }
  return found;
}

const rounded = (/** @type {number} */ ms) => Number(Math.max(0, ms).toFixed(4));

function show(/** @type {string} */ model, /** @type {number} */ threads, /** @type {number[]} */ samples) {
  const row = /** @type {HTMLTableElement} */ (element("rows")).insertRow();
  const cells = [model, threads, percentile(samples, 50).toFixed(2), percentile(samples, 95).toFixed(2)];
  for (const text of cells) row.insertCell().textContent = String(text);
}

function say(/** @type {string} */ text, bad = false) {
  element("message").textContent = text;
  element("message").classList.toggle("bad", bad);
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

/** Keep the screen on, where the browser lets us. */
const awake = () => navigator.wakeLock?.request("screen").catch(() => null);

async function work() {
  let measured = 0;
  for (let job = await nextJob(); job; job = await nextJob()) {
    say(`Measuring ${job.model} …`);
    job.done = 0;
    const word = setInterval(() => post("word", { number: job.number, done: job.done }).catch(() => null), WORD);
    let found;
    try {
      const file = new Uint8Array(await (await fetch("model")).arrayBuffer());
      found = await measure(job, file);
    } catch (error) {
      await post("failed", { number: job.number, failed: error.message.slice(0, 300) });
      throw new Error(`${job.model}: ${error.message}`, { cause: error });
    } finally {
      clearInterval(word);
    }
    const answer = await post("found", { number: job.number, ...found });
    if (!answer.ok) throw new Error(await answer.text());
    measured++;
    await pause();
  }
  say(measured ? "Done; the command has the result. You can close this page." : "The command has ended; start it again.");
}

await awake();
await work().catch((error) => say(error.message, true));
progress.hidden = true;
