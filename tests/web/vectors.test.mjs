/** The page's results against the vectors that it shares with Python; see tests/vectors. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { coordinates, heatmaps } from "../../web/src/codecs.js";
import { strokes } from "../../web/src/drawing.js";
import { applyAffine, cropAffine, cropRegion, ImagePyramid, invertAffine } from "../../web/src/geometry.js";
import { fifthMedians, percentile } from "../../web/src/latency.js";
import { readMetadata } from "../../web/src/metadata.js";
import { JOINTS, LIMBS } from "../../web/src/skeleton.js";
import { meanConfidence, searchPeople, slidingWindows, WINDOW_SIDES } from "../../web/src/sliding_window.js";
import { iou, joints as boxCorners, region as regionOf } from "./fake_model.mjs";

const vectors = JSON.parse(readFileSync(new URL("../vectors/vectors.json", import.meta.url), "utf8"));
const ARRAYS = { uint8: Uint8Array, float32: Float32Array };

function unpackArray({ dtype, base64 }) {
  return new ARRAYS[dtype](Uint8Array.from(Buffer.from(base64, "base64")).buffer);
}

function assertClose(actual, expected, tolerance, name) {
  const [a, b] = [[actual].flat(2), [expected].flat(2)];
  assert.equal(a.length, b.length, name);
  a.forEach((value, k) => assert.ok(Math.abs(value - b[k]) <= tolerance, `${name}: ${value}, not ${b[k]}`));
}

function testCases(name, check) {
  assert.ok(vectors[name].length > 0);
  vectors[name].forEach((vector, number) => test(`${name} ${number}`, () => check(vector)));
}

/** Return an RGB image as a canvas returns it. */
function canvasPixels(image) {
  const [height, width] = image.shape, rgb = unpackArray(image);
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  rgb.forEach((value, k) => (data[4 * Math.floor(k / 3) + (k % 3)] = value));
  return { data, width, height };
}

testCases("skeleton", ({ joints, limbs }) => {
  assert.deepEqual(JOINTS, joints);
  assert.deepEqual(LIMBS, limbs);
});

testCases("crops", ({ image, region, size, crop }) => {
  const actual = new ImagePyramid(canvasPixels(image)).warp(cropAffine(region, size), size);
  assert.deepEqual([...actual], [...unpackArray(crop)]);
});

testCases("affines", ({ joints, padding, size, region, affine, mapped, inverse }) => {
  const { x, y, side } = cropRegion(joints, padding);
  assertClose([x, y, side], [region.x, region.y, region.side], 1e-9, "region");
  const actual = cropAffine(region, size);
  assertClose(actual, affine, 1e-9, "affine");
  assertClose(joints.map((joint) => applyAffine(actual, joint)), mapped, 1e-9, "mapped");
  assertClose(invertAffine(actual), inverse, 1e-9, "inverse");
});

testCases("windows", ({ width, height, sides, windows }) => {
  assert.deepEqual(WINDOW_SIDES, sides);
  const actual = slidingWindows(width, height);
  assert.equal(actual.length, windows.length);
  assertClose(actual.map(({ x, y, side }) => [x, y, side]), windows, 1e-9, "window");
});

for (const [number, vector] of vectors.searches.entries()) {
  test(`searches ${number}`, async () => {
    const { width, height, padding, persons, threshold, max_people: maxPeople, found, confidences, runs } = vector;
    let count = 0;
    const predict = async (region) => {
      count++;
      const distances = persons.map((person) => iou(regionOf(person), region));
      const best = distances.indexOf(Math.max(...distances)), isFound = distances[best] > 0.35;
      const joints = boxCorners(isFound ? persons[best] : [region.x, region.y, 0.2 * region.side]);
      return { joints, confidence: [isFound ? persons[best][3] : 0.4], region };
    };
    const cropPolicy = (joints) => cropRegion(joints, padding);
    const people = await searchPeople(predict, width, height, cropPolicy, threshold, maxPeople);
    assertClose(people.map(({ region }) => [region.x, region.y, region.side]), found, 1e-9, "region");
    assertClose(people.map(meanConfidence), confidences, 1e-6, "confidence");
    assert.equal(count, runs);
  });
}

testCases("decodings", ({ codec, output, joints, confidence }) => {
  const actual =
    codec.kind === "coordinates" ? coordinates(codec.size) : heatmaps(output.shape[0], codec.fwhm, codec.decoding);
  assertClose(actual.decode(unpackArray(output)), joints, 2e-3, "joint");
  if (confidence) assertClose(actual.confidence(unpackArray(output)), confidence, 1e-5, "confidence");
  else assert.ok(actual.confidence(unpackArray(output)).every(Number.isNaN));
});

testCases("drawings", ({ width, height, joints, confidence, strokes: expected }) => {
  const actual = strokes(joints, confidence.map((value) => value ?? NaN), JOINTS, width, height);
  assert.equal(actual.length, expected.length);
  actual.forEach((stroke, k) => {
    assertClose(stroke.points, expected[k].points, 1 / 32 + 1e-9, `point of stroke ${k}`); // OpenCV's fixed point
    assertClose(stroke.width, expected[k].width, 1 / 16 + 1e-9, `width of stroke ${k}`);
    assertClose(stroke.radius ?? 0, expected[k].radius ?? 0, 1 / 16 + 1e-9, `radius of stroke ${k}`);
    const colour = [1, 3, 5].map((start) => parseInt(stroke.colour.slice(start, start + 2), 16));
    assert.deepEqual(colour, expected[k].colour, `colour of stroke ${k}`);
  });
});

testCases("latencies", ({ samples, percentiles, fifths }) => {
  for (const [percent, ms] of Object.entries(percentiles)) {
    assertClose(percentile(samples, Number(percent)), ms, 1e-9, percent);
  }
  assertClose(fifthMedians(samples), fifths, 1e-4, "fifths");
});

testCases("metadata", ({ file, metadata, error }) => {
  const content = unpackArray(file);
  if (error) {
    assert.throws(() => readMetadata(content), ({ message }) => message.includes(error));
    return;
  }
  assert.deepEqual(readMetadata(content), metadata);
});

test("a file that is truncated anywhere has no metadata or is reported as damaged", () => {
  const content = unpackArray(vectors.metadata[0].file);
  for (let length = 8; length < content.length; length++) {
    try {
      readMetadata(content.slice(0, length));
    } catch (error) {
      assert.match(error.message, /damaged or truncated|metadata cannot be read/);
    }
  }
});
