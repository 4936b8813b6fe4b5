/**
 * Person tracking from frame to frame, as in splitpose/inference/person_tracker.py.
 *
 * @typedef {import("./geometry.js").CropRegion} CropRegion
 * @typedef {import("./sliding_window.js").CropPolicy} CropPolicy
 * @typedef {import("./sliding_window.js").PredictRegion} PredictRegion
 * @typedef {import("./sliding_window.js").Prediction} Prediction
 */

import { fullImageRegion } from "./geometry.js";
import { meanConfidence, search, WINDOW_SIDES } from "./sliding_window.js";

/** A person is lost below this fraction of the confidence EMA. */
const LOST_RATIO = 0.85;
/** Weight of a frame in the confidence EMA. */
const EMA_WEIGHT = 0.03;
/** Plausible sides of a person's region over the image's longer side. */
const MIN_REGION = 0.02, MAX_REGION = 1.5;
/** Seconds between two searches, and the factor by which they increase after a search without a better result. */
const SEARCH_INTERVAL = 1 / 3, BACKOFF = 4;
/** Sides of the windows in videos, which are searched often: without the smallest, two thirds of all windows. */
const TRACKING_SIDES = WINDOW_SIDES.slice(0, 2);

/** Tracks one person, found by a search in the first frame. */
export class PersonTracker {
  #cropPolicy;
  #confidenceEma = 0;
  #searchInterval = SEARCH_INTERVAL;
  /** Time of the next search, s. */
  #nextSearch = -Infinity;
  /** The person's region in the next frame, null to search for the person. @type {CropRegion | null} */
  #region = null;

  constructor(/** @type {CropPolicy} */ cropPolicy) {
    this.#cropPolicy = cropPolicy;
  }

  /** The person's region in the next frame, null if the person is not known. */
  get region() {
    return this.#region;
  }

  /** Forget the person, so that the next frames are searched. */
  reset() {
    this.#region = null;
    this.#confidenceEma = 0;
  }

  /**
   * Predict the person in the next frame.
   *
   * @param {PredictRegion} predictRegion
   * @param {number} width of the frame, px
   * @param {number} height of the frame, px
   * @param {() => number} clock returns the time in s
   * @param {CropRegion[]} others regions of the other people
   * @returns {Promise<Prediction>}
   */
  async update(predictRegion, width, height, clock, others = []) {
    let prediction = this.#region && (await predictRegion(this.#region));
    const isLost = !prediction || meanConfidence(prediction) < LOST_RATIO * this.#confidenceEma;
    if (isLost) this.#nextSearch = Math.min(this.#nextSearch, clock() + SEARCH_INTERVAL);
    if (clock() >= this.#nextSearch) {
      const found = await search(predictRegion, width, height, this.#cropPolicy, others, TRACKING_SIDES);
      const threshold = prediction ? meanConfidence(prediction) / (isLost ? 1 : LOST_RATIO) : -Infinity;
      const isBetter = found !== null && meanConfidence(found) > threshold;
      this.#searchInterval = isBetter ? SEARCH_INTERVAL : BACKOFF * this.#searchInterval;
      this.#nextSearch = clock() + this.#searchInterval;
      if (isBetter) prediction = found;
    }
    prediction ??= await predictRegion(fullImageRegion(width, height));
    this.#updateConfidence(meanConfidence(prediction));
    const region = this.#cropPolicy(prediction.joints);
    this.#region = isPlausible(region, width, height) ? region : null;
    return prediction;
  }

  /** Update the confidence EMA; a lost person lowers it slowly. */
  #updateConfidence(/** @type {number} */ confidence) {
    const ema = this.#confidenceEma;
    this.#confidenceEma = ema ? ema + EMA_WEIGHT * (Math.max(confidence, LOST_RATIO * ema) - ema) : confidence;
  }
}

/**
 * Return whether a region can be a person's in an image of this size.
 *
 * @param {CropRegion} region
 * @param {number} width px
 * @param {number} height px
 */
function isPlausible({ x, y, side }, width, height) {
  const ratio = side / Math.max(width, height);
  return x >= 0 && x < width && y >= 0 && y < height && ratio >= MIN_REGION && ratio <= MAX_REGION;
}
