/** LiteRT in a thread of its own: a file in, crops in, outputs out. */

/** @typedef {{name: string, dtype: string, shape: number[]}} TensorInfo */
/** @typedef {{inputs: TensorInfo[], outputs: TensorInfo[], loadMs: number, firstRunMs: number,
 *   fullyDelegated: boolean}} Loaded */

export class Runtime {
  /** @param {(done: number) => void} onProgress hears how many runs of `measure` are done */
  constructor(onProgress = () => {}) {
    this.calls = new Map();
    this.threads = 1;
    /** Addresses of what LiteRT was loaded from. @type {string[]} */
    this.files = [];
    /** The instructions that it computes with. */
    this.simd = "";
    this.onProgress = onProgress;
    const script = new URL("worker.js", document.baseURI).href;
    // From a blob, the thread is under the page's own Content-Security-Policy, whatever the server sends.
    const source = URL.createObjectURL(new Blob([`importScripts(${JSON.stringify(script)})`]));
    this.worker = new Worker(source);
    this.worker.onmessage = ({ data }) => this.#heard(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`the runtime could not be loaded or failed${event.message ? `: ${event.message}` : ""}`);
    };
    URL.revokeObjectURL(source);
  }

  /** Load LiteRT itself. */
  async start(threads = 1) {
    const folder = new URL("wasm/", document.baseURI).href;
    this.threads = threads;
    ({ files: this.files, simd: this.simd } = await this.#call("start", { folder, threads }));
  }

  /** Load a TFLite file. @returns {Promise<Loaded>} */
  load(/** @type {Uint8Array} */ file) {
    return this.#call("load", { file, threads: this.threads });
  }

  /** Run it on a crop, bytes RGB. @returns {Promise<{output: Float32Array, ms: number}>} */
  run(/** @type {Uint8ClampedArray} */ crop) {
    return this.#call("run", { crop });
  }

  /**
   * Time it on noise.
   *
   * @param {{warmupRuns: number, runs: number, sustainedSeconds: number}} options
   * @returns {Promise<{samples: number[], sustained: {runs: number, fifths: [number, number]} | null}>}
   */
  measure(options) {
    return this.#call("measure", options);
  }

  end() {
    this.worker.terminate();
    this.#fail("the runtime was ended");
  }

  #call(call, given) {
    return new Promise((answer, fail) => {
      const number = this.calls.size ? Math.max(...this.calls.keys()) + 1 : 0;
      this.calls.set(number, { answer, fail });
      this.worker.postMessage({ number, call, given });
    });
  }

  #heard({ number, answer, failed, done }) {
    if (done !== undefined) return this.onProgress(done);
    const call = this.calls.get(number);
    this.calls.delete(number);
    if (failed === undefined) call.answer(answer);
    else call.fail(new Error(failed));
  }

  #fail(/** @type {string} */ why) {
    for (const { fail } of this.calls.values()) fail(new Error(why));
    this.calls.clear();
  }
}
