/**
 * Geometry of crops as in splitpose/crops/geometry.py: the crop region of a person, affine maps and warping.
 *
 * Pixel centres are at integers: a crop of side S spans -0.5 to S - 0.5. An affine map [a, b, c, d, e, f] maps
 * (x, y) to (a x + b y + c, d x + e y + f).
 *
 * @typedef {{x: number, y: number, side: number}} CropRegion  centre and side of a square region, px
 * @typedef {[number, number]} Point
 * @typedef {[number, number, number, number, number, number]} Affine
 * @typedef {{data: Uint8ClampedArray, width: number, height: number}} Pixels  RGBA, as a canvas returns them
 */

import { roundHalfToEven } from "./rounding.js";

const RGB_CHANNELS = 3, RGBA_CHANNELS = 4, fround = Math.fround;

/**
 * Return the smallest square region that contains an image of this size and has the same centre.
 *
 * @param {number} width px
 * @param {number} height px
 * @returns {CropRegion}
 */
export function fullImageRegion(width, height) {
  return { x: (width - 1) / 2, y: (height - 1) / 2, side: Math.max(width, height) };
}

/**
 * Return the region whose side is `padding` times the longer side of the joints' bounding box.
 *
 * @param {Point[]} joints px
 * @param {number} padding
 * @returns {CropRegion}
 */
export function cropRegion(joints, padding) {
  const xs = joints.map(([x]) => x), ys = joints.map(([, y]) => y);
  const x0 = Math.min(...xs), x1 = Math.max(...xs), y0 = Math.min(...ys), y1 = Math.max(...ys);
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, side: Math.max(x1 - x0, y1 - y0, 1) * padding };
}

/**
 * Return the affine map from image px to the px of a crop that the region fills.
 *
 * @param {CropRegion} region
 * @param {number} size side of the crop, px
 * @returns {Affine}
 */
export function cropAffine(region, size) {
  const zoom = size / region.side, centre = (size - 1) / 2;
  return [zoom, 0, centre - zoom * region.x, 0, zoom, centre - zoom * region.y];
}

/**
 * Map a point.
 *
 * @param {Affine} affine
 * @param {Point} point
 * @returns {Point}
 */
export function applyAffine([a, b, c, d, e, f], [x, y]) {
  return [a * x + b * y + c, d * x + e * y + f];
}

/**
 * Return the inverse map.
 *
 * @param {Affine} affine
 * @returns {Affine}
 */
export function invertAffine([a, b, c, d, e, f]) {
  const determinant = a * e - b * d;
  const [p, q, r, s] = [e / determinant, -b / determinant, -d / determinant, a / determinant];
  return [p, q, -(p * c + q * f), r, s, -(r * c + s * f)];
}

/** An image from which crops are warped; its downscaled versions are computed once. */
export class ImagePyramid {
  #original;
  /** Downscaled versions by their factor. @type {Map<number, Pixels>} */
  #levels = new Map();

  constructor(/** @type {Pixels} */ pixels) {
    this.#original = pixels;
  }

  /**
   * Warp the image to a crop, size x size x 3 bytes RGB, black outside the image. If the map reduces the image by a
   * factor of two or more, the image is first downscaled by area interpolation, which prevents aliasing.
   *
   * @param {Affine} affine map from image px to crop px
   * @param {number} size side of the crop, px
   */
  warp(affine, size) {
    const factor = Math.trunc(1 / Math.sqrt(Math.abs(affine[0] * affine[4] - affine[1] * affine[3])));
    const level = this.#level(Math.max(1, factor));
    const [a, b, c, d, e, f] = invertAffine(affine);
    const fx = level.width / this.#original.width, fy = level.height / this.#original.height;
    return warp(level, [fx * a, fx * b, fx * (c + 0.5) - 0.5, fy * d, fy * e, fy * (f + 0.5) - 0.5], size);
  }

  #level(/** @type {number} */ factor) {
    if (factor === 1) return this.#original;
    const level = this.#levels.get(factor) ?? downscale(this.#original, factor);
    this.#levels.set(factor, level);
    return level;
  }
}

/**
 * Sample the image bilinearly at the positions to which `inverse` maps the crop's pixels. Results are rounded to
 * float32 where OpenCV rounds them, because a difference of one grey level can move joints by several px.
 *
 * @param {Pixels} image
 * @param {Affine} inverse map from crop px to image px
 * @param {number} size side of the crop, px
 */
function warp({ data, width, height }, inverse, size) {
  const crop = new Uint8ClampedArray(size * size * RGB_CHANNELS); // rounds halves to even, as OpenCV does
  const [a, b, c, d, e, f] = inverse.map(fround);
  const pixel = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ channel) =>
    x >= 0 && x < width && y >= 0 && y < height ? data[(y * width + x) * RGBA_CHANNELS + channel] : 0;
  const interpolate = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ share) =>
    fround(from + fround(share * (to - from)));
  for (let row = 0, index = 0; row < size; row++) {
    const startX = fround(fround(b * row) + c), startY = fround(fround(e * row) + f);
    for (let column = 0; column < size; column++) {
      const x = fround(a * column + startX), y = fround(d * column + startY);
      const left = Math.floor(x), top = Math.floor(y), shareX = fround(x - left), shareY = fround(y - top);
      for (let channel = 0; channel < RGB_CHANNELS; channel++, index++) {
        const above = interpolate(pixel(left, top, channel), pixel(left + 1, top, channel), shareX);
        const below = interpolate(pixel(left, top + 1, channel), pixel(left + 1, top + 1, channel), shareX);
        crop[index] = fround(above + fround(shareY * fround(below - above)));
      }
    }
  }
  return crop;
}

/**
 * Downscale the image by about `factor`: each pixel is the mean of the area that it covers.
 *
 * @param {Pixels} image
 * @param {number} factor
 * @returns {Pixels}
 */
function downscale({ data, width, height }, factor) {
  const columns = coverage(width, factor), rows = coverage(height, factor);
  const result = new Uint8ClampedArray(columns.length * rows.length * RGBA_CHANNELS); // rounds halves to even
  const isHalved = width === 2 * columns.length && height === 2 * rows.length; // OpenCV then rounds halves up
  const sums = new Float32Array(columns.length * RGBA_CHANNELS);
  rows.forEach(({ first, weights }, y) => {
    sums.fill(0);
    weights.forEach((weight, k) => addRow(sums, weight, data, (first + k) * width * RGBA_CHANNELS, columns));
    result.set(isHalved ? sums.map((sum) => Math.floor(sum + 0.5)) : sums, y * sums.length);
  });
  return { data: result, width: columns.length, height: rows.length };
}

/**
 * Add a row of the image, downscaled and weighted, to `sums`.
 *
 * @param {Float32Array} sums
 * @param {number} rowWeight
 * @param {Uint8ClampedArray} data the image
 * @param {number} start index of the row's first value
 * @param {Coverage[]} columns
 */
function addRow(sums, rowWeight, data, start, columns) {
  columns.forEach(({ first, weights }, x) => {
    let red = 0, green = 0, blue = 0;
    for (let k = 0, index = start + first * RGBA_CHANNELS; k < weights.length; k++, index += RGBA_CHANNELS) {
      red = fround(red + fround(weights[k] * data[index]));
      green = fround(green + fround(weights[k] * data[index + 1]));
      blue = fround(blue + fround(weights[k] * data[index + 2]));
    }
    sums[x * RGBA_CHANNELS] += fround(rowWeight * red);
    sums[x * RGBA_CHANNELS + 1] += fround(rowWeight * green);
    sums[x * RGBA_CHANNELS + 2] += fround(rowWeight * blue);
  });
}

/**
 * Return, for each pixel along a downscaled side, the original pixels that it covers and the weight of each.
 *
 * @typedef {{first: number, weights: Float32Array}} Coverage  first original pixel, weights from it on
 * @param {number} side px
 * @param {number} factor
 * @returns {Coverage[]}
 */
function coverage(side, factor) {
  const count = Math.max(1, roundHalfToEven(side / factor)), scale = side / count;
  return Array.from({ length: count }, (_, number) => {
    const start = number * scale, end = Math.min(start + scale, side), first = Math.floor(start);
    const share = (/** @type {unknown} */ _, /** @type {number} */ k) =>
      (Math.min(first + k + 1, end) - Math.max(first + k, start)) / (end - start);
    return { first, weights: Float32Array.from({ length: Math.ceil(end) - first }, share) };
  });
}
