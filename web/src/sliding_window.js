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

/** Overlap from which two regions are assumed to show the same person, or a part of the person. */
const MAX_OVERLAP = 0.5;

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
 * @param {CropRegion[]} exclude regions of other people, who must not be found again
 * @param {number[]} sides of the windows over the image's shorter side
 * @returns {Promise<Prediction | null>} null if every person found is excluded
 */
export async function search(predictRegion, width, height, cropPolicy, exclude = [], sides = WINDOW_SIDES) {
  const windows = await predictAll(slidingWindows(width, height, sides), predictRegion);
  return refine(windows, predictRegion, cropPolicy, exclude);
}

/**
 * Search for several people, those with the highest confidence first. The windows are predicted only once.
 *
 * @param {PredictRegion} predictRegion
 * @param {number} width of the image, px
 * @param {number} height of the image, px
 * @param {CropPolicy} cropPolicy maps joints to the region of the next round
 * @param {number} threshold mean confidence below which a region shows no person
 * @param {number} maxPeople
 * @returns {Promise<Prediction[]>} empty if there is no person
 */
export async function searchPeople(predictRegion, width, height, cropPolicy, threshold, maxPeople = 1) {
  const windows = await predictAll(slidingWindows(width, height), predictRegion);
  /** @type {Prediction[]} */
  const people = [];
  while (people.length < maxPeople) {
    const found = await refine(windows, predictRegion, cropPolicy, people.map(({ region }) => region));
    if (!found || meanConfidence(found) < threshold) break;
    people.push(found);
  }
  return people;
}

/**
 * Return the area of the intersection of two regions over the area of the smaller one.
 *
 * @param {CropRegion} first
 * @param {CropRegion} second
 */
export function overlap(first, second) {
  const reach = (first.side + second.side) / 2;
  const extent = (/** @type {number} */ gap) =>
    Math.max(0, Math.min(reach - Math.abs(gap), first.side, second.side));
  const intersection = extent(first.x - second.x) * extent(first.y - second.y);
  return intersection / Math.min(first.side, second.side) ** 2;
}

/**
 * Return whether a region is assumed to show the same person as one of the others.
 *
 * @param {CropRegion} region
 * @param {CropRegion[]} others
 */
export function showsSamePerson(region, others) {
  return others.some((other) => overlap(region, other) >= MAX_OVERLAP);
}

/**
 * Return the prediction that remains after all rounds of a search, null if every person is excluded.
 *
 * @param {Prediction[]} windows
 * @param {PredictRegion} predictRegion
 * @param {CropPolicy} cropPolicy
 * @param {CropRegion[]} exclude
 * @returns {Promise<Prediction | null>}
 */
async function refine(windows, predictRegion, cropPolicy, exclude) {
  let predictions = windows;
  while (predictions.length > 1) {
    const sorted = [...predictions].sort((first, second) => meanConfidence(second) - meanConfidence(first));
    const regions = sorted.map(({ joints }) => cropPolicy(joints));
    const allowed = regions.filter((region) => !showsSamePerson(region, exclude));
    const best = allowed.slice(0, Math.max(1, roundHalfToEven(KEEP_RATIO * allowed.length)));
    predictions = await predictAll(best, predictRegion);
  }
  return predictions[0] ?? null;
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
