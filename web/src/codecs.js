/**
 * Decoding of a model's outputs to joints in crop px, as in splitpose/codecs.py.
 *
 * Legend: K joints, H x W heatmap, S the crop's side in px. An output is that of one crop, flattened: coordinates
 * (K, 2) or heatmaps (H, W, K).
 *
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {(x: number, y: number) => number} Heatmap  value of a pixel
 * @typedef {object} Codec
 * @property {boolean} hasConfidence
 * @property {(output: Float32Array) => Point[]} decode to joints in crop px
 * @property {(output: Float32Array) => number[]} confidence of each joint from 0 to 1, NaN without confidence
 */

/** Crop px per heatmap px. */
const STRIDE = 4;
/** Lower bound of a heatmap's values before the logarithm. */
const LOG_EPSILON = 1e-10;
/** Minimum curvature of a smoothed peak's logarithm, per square heatmap px. */
const MIN_CURVATURE = 1e-3;

/**
 * Return the codec of positions relative to the crop's centre in sides of the crop; they have no confidence.
 *
 * @param {number} size side of the crop, px
 * @returns {Codec}
 */
export function coordinates(size) {
  const pixels = (/** @type {number} */ value) => (value + 0.5) * size - 0.5;
  return {
    hasConfidence: false,
    decode: (output) =>
      Array.from({ length: output.length / 2 }, (_, k) => [pixels(output[2 * k]), pixels(output[2 * k + 1])]),
    confidence: (output) => Array(output.length / 2).fill(NaN),
  };
}

/**
 * Return the codec of heatmaps with a Gaussian peak at each joint.
 *
 * @param {number} side of a heatmap, px
 * @param {number} fwhm full width at half maximum of a peak, heatmap px
 * @param {"argmax" | "dark"} decoding "dark" refines the highest pixel to the maximum of the peak
 * @returns {Codec}
 */
export function heatmaps(side, fwhm, decoding) {
  const sigma = fwhm / (2 * Math.sqrt(2 * Math.log(2)));
  /** @returns {Heatmap[]} */
  const split = (/** @type {Float32Array} */ output) => {
    const joints = output.length / side ** 2;
    return Array.from({ length: joints }, (_, k) => (x, y) => output[(y * side + x) * joints + k]);
  };
  /** @returns {Point} */
  const peak = (/** @type {Heatmap} */ heatmap) => {
    const highest = argmax(heatmap, side);
    if (decoding === "argmax") return highest;
    const [x, y] = refine(heatmap, side, highest, sigma);
    return [clamp(x, highest[0] - 1, highest[0] + 1), clamp(y, highest[1] - 1, highest[1] + 1)];
  };
  return {
    hasConfidence: true,
    decode: (output) =>
      split(output).map((heatmap) => {
        const [x, y] = peak(heatmap);
        return [(x + 0.5) * STRIDE - 0.5, (y + 0.5) * STRIDE - 0.5];
      }),
    confidence: (output) => split(output).map((heatmap) => clamp(heatmap(...argmax(heatmap, side)), 0, 1)),
  };
}

/**
 * Return the highest pixel, the first in row-major order if there are several.
 *
 * @param {Heatmap} heatmap
 * @param {number} side px
 * @returns {Point}
 */
function argmax(heatmap, side) {
  /** @type {Point} */
  let best = [0, 0], maximum = heatmap(0, 0);
  for (let index = 1; index < side ** 2; index++) {
    const x = index % side, y = Math.floor(index / side), value = heatmap(x, y);
    if (value > maximum) [best, maximum] = [[x, y], value];
  }
  return best;
}

/**
 * Move a pixel to the maximum of the peak around it by one Newton step: the logarithm of a Gaussian is a parabola. Its
 * derivatives are those of the smoothed heatmap, measured one pixel further inside at the border. Where the heatmap
 * has no peak, the position is unchanged.
 *
 * @param {Heatmap} heatmap
 * @param {number} side px
 * @param {Point} position
 * @param {number} sigma standard deviation of the smoothing, heatmap px
 * @returns {Point}
 */
function refine(heatmap, side, position, sigma) {
  const [x, y] = position.map((value) => clamp(value, 1, side - 2));
  const columnKernels = smoothingKernels(x, side, sigma), rowKernels = smoothingKernels(y, side, sigma);
  const logs = rowKernels.map((rows) =>
    columnKernels.map((columns) => {
      let sum = 0;
      for (const [row, rowWeight] of rows) {
        for (const [column, columnWeight] of columns) sum += rowWeight * columnWeight * heatmap(column, row);
      }
      return Math.log(Math.max(sum, LOG_EPSILON));
    }),
  );
  const dx = (logs[1][2] - logs[1][0]) / 2, dy = (logs[2][1] - logs[0][1]) / 2;
  const dxx = logs[1][2] - 2 * logs[1][1] + logs[1][0], dyy = logs[2][1] - 2 * logs[1][1] + logs[0][1];
  const dxy = (logs[2][2] - logs[2][0] - logs[0][2] + logs[0][0]) / 4;
  const determinant = dxx * dyy - dxy ** 2;
  if (!(dxx < -MIN_CURVATURE && determinant > MIN_CURVATURE ** 2)) return position;
  return [x + (dxy * dy - dyy * dx) / determinant, y + (dxy * dx - dxx * dy) / determinant];
}

/**
 * Return Gaussian weights around the previous pixel, the pixel itself and the next, as pairs of position and weight.
 * All three are truncated at the distance at which the first of them reaches the border, because an asymmetric kernel
 * would move the peak.
 *
 * @param {number} pixel
 * @param {number} side px
 * @param {number} sigma px
 * @returns {[number, number][][]}
 */
function smoothingKernels(pixel, side, sigma) {
  const reach = Math.min(pixel, side - 1 - pixel) - 1;
  return [-1, 0, 1].map((step) => {
    /** @type {[number, number][]} */
    const weights = [];
    for (let distance = -reach; distance <= reach; distance++) {
      weights.push([pixel + step + distance, Math.exp(-(distance ** 2) / (2 * sigma ** 2))]);
    }
    return weights;
  });
}

function clamp(/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) {
  return Math.min(Math.max(value, low), high);
}
