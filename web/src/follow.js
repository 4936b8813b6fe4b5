/** Following a person from picture to picture. */

import { regionOf } from "./crop.js";

/** Mean confidence below which a person counts as lost. */
const LOST = 0.25;
/** Sides of the picture: what would be looked at in a larger square is no person. */
const LARGEST = 1.5;

/**
 * Where to look in the next picture: around where the person is in this one, or null, everywhere, if the model is
 * not sure of it or its middle is not in the picture. Coordinates carry no confidence: nobody is followed by them.
 *
 * @param {import("./crop.js").Point[]} joints px
 * @param {number[]} confidence of each
 * @param {number} margin of the model's crops
 * @param {number} width of the picture
 * @param {number} height of the picture
 * @returns {import("./crop.js").Region | null}
 */
export function whereNext(joints, confidence, margin, width, height) {
  const sure = confidence.reduce((sum, each) => sum + each, 0) / confidence.length;
  const region = regionOf(joints, margin), { x, y, side } = region;
  const isInside = x >= 0 && x < width && y >= 0 && y < height && side <= LARGEST * Math.max(width, height);
  return sure > LOST && isInside ? region : null;
}
