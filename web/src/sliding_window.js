/**
 * Sliding-window search for a person in a whole image, with a model that was trained on crops around people, as in
 * splitpose/inference/sliding_window.py.
 *
 * @typedef {import("./geometry.js").CropRegion} CropRegion
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{joints: Point[], confidence: number[], region: CropRegion}} Prediction  joints in image px
 * @typedef {(region: CropRegion) => Promise<Prediction>} PredictRegion  predicts a person in a region of the image
 * @typedef {(joints: Point[]) => CropRegion} CropPolicy  maps a person's joints to the person's crop region
 */

import { fullImageRegion } from "./geometry.js";
import { roundHalfToEven } from "./rounding.js";

/** Sides of the windows over the image's shorter side; neighbouring windows overlap by at least half. */
export const WINDOW_SIDES = [1, 0.6, 0.36];
/** Fraction of a round's predictions that is refined in the next round. */
const KEEP_RATIO = 1 / 3;
/** In a more elongated image, windows have the size for this aspect ratio, and extend beyond the shorter side. */
const MAX_ASPECT_RATIO = 8;

/** Return the mean confidence of all joints. */
export function meanConfidence(/** @type {Prediction} */ { confidence }) {
  return confidence.reduce((sum, value) => sum + value, 0) / confidence.length;
}

/**
 * Search for the person whose prediction has the highest confidence. In each round, the third of the predictions
 * with the highest confidence is repeated in the regions that follow from their joints, until one is left.
 *
 * @param {PredictRegion} predictRegion
 * @param {number} width of the image, px
 * @param {number} height of the image, px
 * @param {CropPolicy} cropPolicy maps joints to the region of the next round
 * @param {number[]} sides of the windows over the image's shorter side
 * @returns {Promise<Prediction>}
 */
export async function search(predictRegion, width, height, cropPolicy, sides = WINDOW_SIDES) {
  let predictions = await predictAll(slidingWindows(width, height, sides), predictRegion);
  while (predictions.length > 1) {
    predictions.sort((first, second) => meanConfidence(second) - meanConfidence(first));
    const best = predictions.slice(0, Math.max(1, roundHalfToEven(KEEP_RATIO * predictions.length)));
    predictions = await predictAll(best.map(({ joints }) => cropPolicy(joints)), predictRegion);
  }
  return predictions[0];
}

/**
 * Return the region of the whole image, followed by windows of each size that cover the image.
 *
 * @param {number} width of the image, px
 * @param {number} height of the image, px
 * @param {number[]} sides of the windows over the image's shorter side
 * @returns {CropRegion[]}
 */
export function slidingWindows(width, height, sides = WINDOW_SIDES) {
  const shorter = Math.max(Math.min(width, height), Math.max(width, height) / MAX_ASPECT_RATIO);
  const windows = sides.flatMap((ratio) => {
    const side = ratio * shorter;
    return centres(height, side).flatMap((y) => centres(width, side).map((x) => ({ x, y, side })));
  });
  return [fullImageRegion(width, height), ...windows];
}

/**
 * Predict the regions one after the other, because there is only one model.
 *
 * @param {CropRegion[]} regions
 * @param {PredictRegion} predictRegion
 */
async function predictAll(regions, predictRegion) {
  const predictions = [];
  for (const region of regions) predictions.push(await predictRegion(region));
  return predictions;
}

/**
 * Return the centres of windows of `side` px, at most half a side apart, that cover `length` px.
 *
 * @param {number} length px
 * @param {number} side px
 * @returns {number[]}
 */
function centres(length, side) {
  if (side >= length) return [(length - 1) / 2];
  const steps = 1 + Math.ceil((length - side) / (side / 2) - 1e-9);
  const first = side / 2 - 0.5, last = length - side / 2 - 0.5; // the first pixel's edge is at -0.5
  return Array.from({ length: steps }, (_, k) => first + (k * (last - first)) / (steps - 1));
}
