/**
 * From what a model gives to joints in crop px, as in splitpose/codecs.py.
 *
 * Legend: K joints, H x W heatmap, S the crop's side in px. Outputs are those of one crop, flat: (K, 2) coordinates
 * or (H, W, K) heatmaps.
 *
 * @typedef {import("./crop.js").Point} Point
 * @typedef {(x: number, y: number) => number} Heatmap
 * @typedef {{decode: (output: Float32Array) => Point[], confidence: (output: Float32Array) => number[],
 *   givesConfidence: boolean}} Codec
 */

const STRIDE = 4;
/** Below it a heatmap counts as this, so that its logarithm is a number. */
const FAINTEST = 1e-10;
/** A bump's logarithm bends by more than this a square heatmap px. */
const FLATTEST = 1e-3;

/** Coordinates over the crop's side, its middle at 0; they carry no confidence. @returns {Codec} */
export function coordinates(/** @type {number} */ size) {
  const pixels = (value) => (value + 0.5) * size - 0.5;
  return {
    givesConfidence: false,
    decode: (output) =>
      Array.from({ length: output.length / 2 }, (_, k) => [pixels(output[2 * k]), pixels(output[2 * k + 1])]),
    confidence: (output) => Array(output.length / 2).fill(NaN),
  };
}

/**
 * Heatmaps with a bump at each joint.
 *
 * @param {number} side of a heatmap, px
 * @param {number} width of a bump at half its height, heatmap px
 * @param {"argmax" | "dark"} decoding "dark" finds the bump's top between the pixels
 * @returns {Codec}
 */
export function heatmaps(side, width, decoding) {
  const sigma = width / (2 * Math.sqrt(2 * Math.log(2)));
  const each = (output) => {
    const joints = output.length / side ** 2;
    return Array.from({ length: joints }, (_, k) => (x, y) => output[(y * side + x) * joints + k]);
  };
  return {
    givesConfidence: true,
    decode: (output) =>
      each(output).map((map) => {
        let place = highest(map, side);
        if (decoding === "dark") {
          const [x, y] = top(map, side, place, sigma);
          place = [clamp(x, place[0] - 1, place[0] + 1), clamp(y, place[1] - 1, place[1] + 1)];
        }
        return [(place[0] + 0.5) * STRIDE - 0.5, (place[1] + 0.5) * STRIDE - 0.5];
      }),
    confidence: (output) => each(output).map((map) => clamp(map(...highest(map, side)), 0, 1)),
  };
}

/** The first highest pixel. @returns {Point} */
function highest(/** @type {Heatmap} */ map, /** @type {number} */ side) {
  let best = 0;
  for (let place = 1; place < side ** 2; place++) {
    if (map(place % side, Math.floor(place / side)) > map(best % side, Math.floor(best / side))) best = place;
  }
  return [best % side, Math.floor(best / side)];
}

/**
 * The top of the bump around a pixel: the logarithm of a Gaussian is a parabola, so slopes and bends tell where
 * its top is. They are taken from the smoothed map, one pixel further in where the pixel is on the border. Where
 * there is no bump, the pixel stays.
 *
 * @returns {Point}
 */
function top(/** @type {Heatmap} */ map, /** @type {number} */ side, /** @type {Point} */ place, sigma) {
  const [x, y] = place.map((position) => clamp(position, 1, side - 2));
  const across = smoothing(x, side, sigma), down = smoothing(y, side, sigma);
  const logs = down.map((rows) =>
    across.map((columns) => {
      let sum = 0;
      for (const [row, weightDown] of rows) {
        for (const [column, weightAcross] of columns) sum += weightDown * weightAcross * map(column, row);
      }
      return Math.log(Math.max(sum, FAINTEST));
    }),
  );
  const slopeX = (logs[1][2] - logs[1][0]) / 2, slopeY = (logs[2][1] - logs[0][1]) / 2;
  const bendX = logs[1][2] - 2 * logs[1][1] + logs[1][0], bendY = logs[2][1] - 2 * logs[1][1] + logs[0][1];
  const twist = (logs[2][2] - logs[2][0] - logs[0][2] + logs[0][0]) / 4;
  const determinant = bendX * bendY - twist ** 2;
  if (!(bendX < -FLATTEST && determinant > FLATTEST ** 2)) return place;
  return [
    x + (twist * slopeY - bendY * slopeX) / determinant,
    y + (twist * slopeX - bendX * slopeY) / determinant,
  ];
}

/**
 * Gaussian weights around the pixel before, the pixel itself and the next, as pairs of position and weight. All
 * three are cut off where the first of them reaches the border: to look further to one side would move the bump.
 *
 * @returns {[number, number][][]}
 */
function smoothing(/** @type {number} */ pixel, /** @type {number} */ side, /** @type {number} */ sigma) {
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

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
