/**
 * LiteRT in a worker, so that the page stays responsive.
 *
 * @typedef {import("./worker_messages.js").Functions} Functions
 * @typedef {import("./worker_messages.js").LoadedModel} LoadedModel
 * @typedef {import("./worker_messages.js").MeasureOptions} MeasureOptions
 * @typedef {import("./worker_messages.js").Request} Request
 * @typedef {import("./worker_messages.js").Response} Response
 * @typedef {import("./worker_messages.js").TensorInfo} TensorInfo
 */

export class Runtime {
  #worker;
  #onProgress;
  #threads = 1;
  #lastId = 0;
  /** Requests without a response, by their id. */
  #pending = /** @type {Map<number, {resolve: (result: any) => void, reject: (error: Error) => void}>} */ (new Map());
  /** URLs of the files that LiteRT was loaded from. @type {string[]} */
  files = [];
  /** Instruction set that LiteRT uses. */
  simd = "";

  /** @param {(completedRuns: number) => void} onProgress receives the number of completed runs of `measure` */
  constructor(onProgress = () => {}) {
    this.#onProgress = onProgress;
    const script = new URL("worker.js", document.baseURI).href;
    // A worker from a blob inherits the page's Content-Security-Policy, whatever headers the server sends.
    const blob = URL.createObjectURL(new Blob([`importScripts(${JSON.stringify(script)})`]));
    this.#worker = new Worker(blob);
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#rejectAll(`the runtime could not be loaded or failed${event.message ? `: ${event.message}` : ""}`);
    };
    URL.revokeObjectURL(blob);
  }

  /** Load LiteRT. */
  async start(threads = 1) {
    const folder = new URL("wasm/", document.baseURI).href;
    this.#threads = threads;
    ({ files: this.files, simd: this.simd } = await this.#call("start", { folder, threads }));
  }

  /** Load a TFLite file in place of the previous one. */
  load(/** @type {Uint8Array} */ file) {
    return this.#call("load", { file, threads: this.#threads });
  }

  /** Run the model on a crop, RGB bytes. */
  run(/** @type {Uint8ClampedArray} */ crop) {
    return this.#call("run", { crop });
  }

  /** Measure the model's latency on random inputs. */
  measure(/** @type {MeasureOptions} */ options) {
    return this.#call("measure", options);
  }

  /** Stop the worker; pending calls fail. */
  terminate() {
    this.#worker.terminate();
    this.#rejectAll("the runtime was stopped");
  }

  /**
   * @template {keyof Functions} Name
   * @param {Name} name
   * @param {Parameters<Functions[Name]>[0]} options
   * @returns {ReturnType<Functions[Name]>}
   */
  #call(name, options) {
    const result = new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage(/** @type {Request} */ ({ id, name, options }));
    });
    return /** @type {ReturnType<Functions[Name]>} */ (result);
  }

  #receive(/** @type {Response} */ response) {
    if ("completedRuns" in response) return this.#onProgress(response.completedRuns);
    const call = this.#pending.get(response.id);
    this.#pending.delete(response.id);
    if (response.error === undefined) call?.resolve(response.result);
    else call?.reject(new Error(response.error));
  }

  #rejectAll(/** @type {string} */ reason) {
    for (const { reject } of this.#pending.values()) reject(new Error(reason));
    this.#pending.clear();
  }
}
