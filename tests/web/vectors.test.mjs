/** The page's side of what Python and the page do alike; see tests/vectors. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { readCard } from "../../web/src/card.js";
import { apply, cropMap, invert, Picture, regionOf } from "../../web/src/crop.js";
import { coordinates, heatmaps } from "../../web/src/decode.js";
import { strokes } from "../../web/src/draw.js";
import { fifths, percentile } from "../../web/src/latency.js";
import { SIDES, squares } from "../../web/src/search.js";
import { JOINTS, LIMBS } from "../../web/src/skeleton.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/vectors.json", import.meta.url), "utf8"));
const ARRAYS = { uint8: Uint8Array, float32: Float32Array };

function unpacked({ dtype, base64 }) {
  return new ARRAYS[dtype](Uint8Array.from(Buffer.from(base64, "base64")).buffer);
}

function close(found, wanted, most, what) {
  const [a, b] = [[found].flat(2), [wanted].flat(2)];
  assert.equal(a.length, b.length, what);
  a.forEach((value, k) => assert.ok(Math.abs(value - b[k]) <= most, `${what}: ${value}, not ${b[k]}`));
}

function each(name, check) {
  assert.ok(vectors[name].length > 0);
  vectors[name].forEach((wanted, number) => test(`${name} ${number}`, () => check(wanted)));
}

/** Bytes RGB as a canvas gives them. */
function pixels(picture) {
  const [height, width] = picture.shape, rgb = unpacked(picture);
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  rgb.forEach((value, k) => (data[4 * Math.floor(k / 3) + (k % 3)] = value));
  return { data, width, height };
}

each("skeleton", ({ joints, limbs }) => {
  assert.deepEqual(JOINTS, joints);
  assert.deepEqual(LIMBS, limbs);
});

each("crops", ({ picture, region, size, crop }) => {
  const found = new Picture(pixels(picture)).cut(cropMap(region, size), size);
  assert.deepEqual([...found], [...unpacked(crop)]);
});

each("maps", ({ joints, margin, size, region, affine, mapped, back }) => {
  const { x, y, side } = regionOf(joints, margin);
  close([x, y, side], [region.x, region.y, region.side], 1e-9, "region");
  const found = cropMap(region, size);
  close(found, affine, 1e-9, "affine");
  close(joints.map((joint) => apply(found, joint)), mapped, 1e-9, "mapped");
  close(invert(found), back, 1e-9, "back");
});

each("searches", ({ width, height, sides, squares: wanted }) => {
  assert.deepEqual(SIDES, sides);
  const found = squares(width, height);
  assert.equal(found.length, wanted.length);
  close(found.map(({ x, y, side }) => [x, y, side]), wanted, 1e-9, "square");
});

each("decodings", ({ codec, output, joints, confidence }) => {
  const { decode, confidence: sure } =
    codec.kind === "coordinates" ? coordinates(codec.size) : heatmaps(output.shape[0], codec.fwhm, codec.decoding);
  close(decode(unpacked(output)), joints, 2e-3, "joint");
  if (confidence) close(sure(unpacked(output)), confidence, 1e-5, "confidence");
  else assert.ok(sure(unpacked(output)).every(Number.isNaN));
});

each("drawings", ({ width, height, joints, confidence, strokes: wanted }) => {
  const found = strokes(joints, confidence.map((each) => each ?? NaN), JOINTS, width, height);
  assert.equal(found.length, wanted.length);
  found.forEach((stroke, k) => {
    close(stroke.points, wanted[k].points, 1 / 32 + 1e-9, `point of stroke ${k}`); // OpenCV's fixed point
    close(stroke.width, wanted[k].width, 1 / 16 + 1e-9, `width of stroke ${k}`);
    close(stroke.radius ?? 0, wanted[k].radius ?? 0, 1 / 16 + 1e-9, `radius of stroke ${k}`);
    const colour = [1, 3, 5].map((at) => parseInt(stroke.colour.slice(at, at + 2), 16));
    assert.deepEqual(colour, wanted[k].colour, `colour of stroke ${k}`);
  });
});

each("latencies", ({ samples, percentiles, fifths: wanted }) => {
  for (const [percent, ms] of Object.entries(percentiles)) {
    close(percentile(samples, Number(percent)), ms, 1e-9, percent);
  }
  close(fifths(samples), wanted, 1e-4, "fifths");
});

each("cards", ({ file, card, error }) => {
  const content = unpacked(file);
  if (error) {
    assert.throws(() => readCard(content), ({ message }) => message.includes(error));
    return;
  }
  assert.deepEqual(readCard(content), card);
});

test("a card of a file that is cut anywhere is none, or the file is told to be damaged", () => {
  const content = unpacked(vectors.cards[0].file);
  for (let length = 8; length < content.length; length++) {
    try {
      readCard(content.slice(0, length));
    } catch (error) {
      assert.match(error.message, /damaged or cut short|its card cannot be read/);
    }
  }
});
