/**
 * Finding a person in a whole picture with a model that was trained on squares around people, as in
 * splitpose/inference/sliding_window.py.
 *
 * @typedef {import("./crop.js").Region} Region
 * @typedef {{joints: import("./crop.js").Point[], confidence: number[], region: Region}} Seen
 * @typedef {(region: Region) => Promise<Seen>} Look  at a square of the picture
 * @typedef {(joints: import("./crop.js").Point[]) => Region} Around  the square that a person's joints ask for
 */

import { wholePicture } from "./crop.js";
import { halfToEven } from "./rounding.js";

/** Of the squares, in shorter sides of the picture; each reaches half over the next. */
export const SIDES = [1, 0.6, 0.36];
/** Of the looks of one round, the part that is followed by another look. */
const KEPT = 1 / 3;
/** Shorter sides that a picture may be long; in a longer one squares are as large as in that, and reach beyond. */
const LONGEST = 8;

/** Mean confidence of all joints. */
export function sure(/** @type {Seen} */ { confidence }) {
  return confidence.reduce((sum, each) => sum + each, 0) / confidence.length;
}

/**
 * The person of whom the model is surest. The surest third of the looks is followed by looks at the squares that their
 * joints ask for, of which the surest third is followed again, until one is left.
 *
 * @param {Look} look
 * @param {number} width of the picture
 * @param {number} height of the picture
 * @param {Around} around
 * @param {number[]} sides of the squares, in shorter sides of the picture
 * @returns {Promise<Seen>}
 */
export async function search(look, width, height, around, sides = SIDES) {
  let seen = await each(squares(width, height, sides), look);
  while (seen.length > 1) {
    seen.sort((one, other) => sure(other) - sure(one));
    const kept = seen.slice(0, Math.max(1, halfToEven(KEPT * seen.length)));
    seen = await each(kept.map(({ joints }) => around(joints)), look);
  }
  return seen[0];
}

/** Squares that cover a picture, and one around all of it. @returns {Region[]} */
export function squares(/** @type {number} */ width, /** @type {number} */ height, sides = SIDES) {
  const shorter = Math.max(Math.min(width, height), Math.max(width, height) / LONGEST);
  const covering = sides.flatMap((part) => {
    const side = part * shorter;
    return middles(height, side).flatMap((y) => middles(width, side).map((x) => ({ x, y, side })));
  });
  return [wholePicture(width, height), ...covering];
}

/** One after the other: there is one model. */
async function each(/** @type {Region[]} */ regions, /** @type {Look} */ look) {
  const seen = [];
  for (const region of regions) seen.push(await look(region));
  return seen;
}

/** Middles of stretches of `side` px, at most half of it apart, that cover `length` px. @returns {number[]} */
function middles(/** @type {number} */ length, /** @type {number} */ side) {
  if (side >= length) return [(length - 1) / 2];
  const steps = 1 + Math.ceil((length - side) / (side / 2) - 1e-9);
  const first = side / 2 - 0.5, last = length - side / 2 - 0.5; // the first pixel's edge is at -0.5
  return Array.from({ length: steps }, (_, k) => first + (k * (last - first)) / (steps - 1));
}
