/** Following a person from picture to picture. */

import { regionOf } from "./crop.js";

/** Mean confidence below which a person counts as lost. */
const LOST = 0.25;
/** Longer sides of the picture: no person's square is larger or smaller. */
const LARGEST = 1.5, SMALLEST = 0.02;

/**
 * Where to look in the next picture: around where the person is in this one, or null, everywhere, if the model is
 * not sure of it or its middle is not in the picture. Coordinates carry no confidence: nobody is followed by them.
 *
 * @param {import("./crop.js").Point[]} joints px
 * @param {number[]} confidence of each
 * @param {number} margin of the square, in longer sides of the joints' box
 * @param {number} width of the picture
 * @param {number} height of the picture
 * @returns {import("./crop.js").Region | null}
 */
export function whereNext(joints, confidence, margin, width, height) {
  const sure = confidence.reduce((sum, each) => sum + each, 0) / confidence.length;
  const region = regionOf(joints, margin), { x, y, side } = region;
  const share = side / Math.max(width, height);
  const isInside = x >= 0 && x < width && y >= 0 && y < height && share >= SMALLEST && share <= LARGEST;
  return sure > LOST && isInside ? region : null;
}
