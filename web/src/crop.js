/**
 * From a square of a picture to a crop and back, as in splitpose/crops/geometry.py.
 *
 * Pixel centres are at integers: a crop of side S spans -0.5 to S - 0.5. An affine map [a, b, c, d, e, f] takes
 * (x, y) to (a x + b y + c, d x + e y + f).
 *
 * @typedef {{x: number, y: number, side: number}} Region  a square's middle and side, px
 * @typedef {[number, number]} Point
 * @typedef {[number, number, number, number, number, number]} Affine
 * @typedef {{data: ArrayLike<number>, width: number, height: number}} Pixels  RGBA, as canvases give them
 */

import { halfToEven } from "./rounding.js";

const CHANNELS = 3, RGBA = 4, fround = Math.fround;

/** The square that holds the whole picture, as `splitpose predict` takes it. @returns {Region} */
export function wholePicture(width, height) {
  return { x: (width - 1) / 2, y: (height - 1) / 2, side: Math.max(width, height) };
}

/** The square `margin` times the longer side of the joints' box. @returns {Region} */
export function regionOf(/** @type {Point[]} */ joints, /** @type {number} */ margin) {
  const xs = joints.map(([x]) => x), ys = joints.map(([, y]) => y);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, side: Math.max(x1 - x0, y1 - y0, 1) * margin };
}

/** The map from picture px to crop px that fills a crop of `size` px with the region. @returns {Affine} */
export function cropMap(/** @type {Region} */ region, /** @type {number} */ size) {
  const zoom = size / region.side, middle = (size - 1) / 2;
  return [zoom, 0, middle - zoom * region.x, 0, zoom, middle - zoom * region.y];
}

/** @returns {Point} */
export function apply(/** @type {Affine} */ [a, b, c, d, e, f], /** @type {Point} */ [x, y]) {
  return [a * x + b * y + c, d * x + e * y + f];
}

/** The map back. @returns {Affine} */
export function invert(/** @type {Affine} */ [a, b, c, d, e, f]) {
  const determinant = a * e - b * d;
  const [p, q, r, s] = [e / determinant, -b / determinant, -d / determinant, a / determinant];
  return [p, q, -(p * c + q * f), r, s, -(r * c + s * f)];
}

/** A picture that crops are cut from; what several crops share is computed once. */
export class Picture {
  /** @type {Map<number, Pixels>} By how many times smaller they are. */
  #reduced;

  constructor(/** @type {Pixels} */ pixels) {
    this.width = pixels.width;
    this.height = pixels.height;
    this.#reduced = new Map([[1, pixels]]);
  }

  /**
   * The crop, size x size x 3 bytes RGB, black where the picture ends. A picture that shrinks by two or more is
   * first reduced by area, so that fine patterns do not flicker.
   *
   * @param {Affine} affine picture px to crop px
   * @param {number} size
   */
  cut(affine, size) {
    const shrink = Math.trunc(1 / Math.sqrt(Math.abs(affine[0] * affine[4] - affine[1] * affine[3])));
    const reduced = this.#reducedBy(Math.max(1, shrink));
    const [a, b, c, d, e, f] = invert(affine);
    const fx = reduced.width / this.width, fy = reduced.height / this.height;
    return warp(reduced, [fx * a, fx * b, fx * (c + 0.5) - 0.5, fy * d, fy * e, fy * (f + 0.5) - 0.5], size);
  }

  #reducedBy(/** @type {number} */ shrink) {
    if (!this.#reduced.has(shrink)) this.#reduced.set(shrink, reduce(this.#reduced.get(1), shrink));
    return this.#reduced.get(shrink);
  }
}

/**
 * Bilinear: for every px of the crop, the picture where `back` takes it. Rounded to float32 where OpenCV does it,
 * as there are models whose joints move by some px with a level of grey here and there.
 *
 * @param {Pixels} picture
 * @param {Affine} back
 * @param {number} size
 */
function warp({ data, width, height }, back, size) {
  const crop = new Uint8ClampedArray(size * size * CHANNELS); // rounds halves to even, as OpenCV does
  const [a, b, c, d, e, f] = back.map(fround);
  const at = (x, y, channel) =>
    x >= 0 && x < width && y >= 0 && y < height ? data[(y * width + x) * RGBA + channel] : 0;
  const between = (from, to, share) => fround(from + fround(share * (to - from)));
  for (let row = 0, place = 0; row < size; row++) {
    const startX = fround(fround(b * row) + c), startY = fround(fround(e * row) + f);
    for (let column = 0; column < size; column++) {
      const x = fround(a * column + startX), y = fround(d * column + startY);
      const left = Math.floor(x), top = Math.floor(y), right = fround(x - left), down = fround(y - top);
      for (let channel = 0; channel < CHANNELS; channel++, place++) {
        const above = between(at(left, top, channel), at(left + 1, top, channel), right);
        const below = between(at(left, top + 1, channel), at(left + 1, top + 1, channel), right);
        crop[place] = fround(above + fround(down * fround(below - above)));
      }
    }
  }
  return crop;
}

/** The picture, about `shrink` times smaller: each px is the mean of the area that it covers. @returns {Pixels} */
function reduce(/** @type {Pixels} */ { data, width, height }, shrink) {
  const across = coverage(width, shrink), down = coverage(height, shrink);
  const small = new Uint8ClampedArray(across.length * down.length * RGBA); // rounds halves to even
  const halves = width === 2 * across.length && height === 2 * down.length; // OpenCV then rounds halves up
  const sums = new Float32Array(across.length * RGBA);
  down.forEach((rows, y) => {
    sums.fill(0);
    rows.weights.forEach((weight, k) => addReduced(sums, weight, data, (rows.first + k) * width * RGBA, across));
    small.set(halves ? sums.map((sum) => Math.floor(sum + 0.5)) : sums, y * sums.length);
  });
  return { data: small, width: across.length, height: down.length };
}

/** Add a row of the picture to `sums`, made smaller and weighted. */
function addReduced(sums, weightDown, data, row, across) {
  for (let x = 0; x < across.length; x++) {
    const { first, weights } = across[x];
    let red = 0, green = 0, blue = 0;
    for (let k = 0, from = row + first * RGBA; k < weights.length; k++, from += RGBA) {
      red = fround(red + fround(weights[k] * data[from]));
      green = fround(green + fround(weights[k] * data[from + 1]));
      blue = fround(blue + fround(weights[k] * data[from + 2]));
    }
    sums[x * RGBA] += fround(weightDown * red);
    sums[x * RGBA + 1] += fround(weightDown * green);
    sums[x * RGBA + 2] += fround(weightDown * blue);
  }
}

/**
 * For each px of a side that shrinks, the px that it covers, from `first` on, and how much of it each of them is.
 *
 * @returns {{first: number, weights: Float32Array}[]}
 */
function coverage(/** @type {number} */ side, /** @type {number} */ shrink) {
  const count = Math.max(1, halfToEven(side / shrink)), scale = side / count;
  return Array.from({ length: count }, (_, number) => {
    const start = number * scale, end = Math.min(start + scale, side), first = Math.floor(start);
    const part = (_, k) => (Math.min(first + k + 1, end) - Math.max(first + k, start)) / (end - start);
    return { first, weights: Float32Array.from({ length: Math.ceil(end) - first }, part) };
  });
}
