/**
 * Drawing of a person's joints and limbs, as in splitpose/drawing.py.
 *
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{points: Point[], colour: string, width: number, radius?: number}} Stroke
 *   a line between two points, or around one point a dot of this width or a ring of this radius
 */

import { roundHalfToEven } from "./rounding.js";
import { LIMBS } from "./skeleton.js";

/** Blue, vermilion and yellow of Okabe and Ito's palette. */
const LEFT = "#0072b2", RIGHT = "#d55e00", MIDDLE = "#f0e442", BLACK = "#000000";

/** Confidence below which a joint is drawn as uncertain. */
const UNCERTAIN = 0.5;

/**
 * Return the strokes of a person in drawing order: first all of them slightly wider in black, as outlines. Uncertain
 * joints are rings, and their limbs are thin.
 *
 * @param {Point[]} joints image px
 * @param {number[]} confidence of each joint; NaN counts as certain
 * @param {string[]} names of the joints
 * @param {number} width of the image, px
 * @param {number} height of the image, px
 * @returns {Stroke[]}
 */
export function strokes(joints, confidence, names, width, height) {
  const thickness = Math.max(1, roundHalfToEven(0.006 * Math.min(width, height)));
  const thin = Math.max(1, Math.floor(thickness / 3)), outline = 2 * Math.max(1, Math.floor(thickness / 2));
  const positions = Object.fromEntries(names.map((name, k) => [name, joints[k]]));
  const isUncertain = Object.fromEntries(names.map((name, k) => [name, confidence[k] < UNCERTAIN]));
  const limbs = LIMBS.filter((limb) => limb.every((name) => positions[name]));
  return [outline, 0].flatMap((extra) => [
    ...limbs.map((limb) => ({
      points: limb.map((name) => positions[name]),
      colour: extra ? BLACK : sideColour(limb),
      width: (limb.some((name) => isUncertain[name]) ? thin : thickness) + extra,
    })),
    ...names.map((name) => ({
      points: [positions[name]],
      colour: extra ? BLACK : sideColour([name]),
      ...(isUncertain[name]
        ? { width: thin + extra, radius: 1.2 * thickness }
        : { width: 2.4 * thickness + extra }),
    })),
  ]);
}

/** Additional width of a dot by OpenCV's anti-aliasing, px. */
const DOT_EDGE = 0.8;

/** Return the measured width, px, of OpenCV's anti-aliased lines, which is the same at all angles. */
function drawnWidth(/** @type {number} */ width) {
  return (width > 1 ? 2 * Math.floor((width + 1) / 2) : 0) + 1.4;
}

/**
 * Draw strokes. Pixel centres are at integers in the image and at halves on the canvas.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke[]} strokes
 */
export function drawStrokes(context, strokes) {
  context.save();
  context.translate(0.5, 0.5);
  context.lineCap = "round";
  for (const { points: [start, end], colour, width, radius } of strokes) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = drawnWidth(width);
    context.beginPath();
    if (end) {
      context.moveTo(...start);
      context.lineTo(...end);
    } else {
      context.arc(...start, radius ?? (width + DOT_EDGE) / 2, 0, 2 * Math.PI);
    }
    if (end || radius) context.stroke();
    else context.fill();
  }
  context.restore();
}

/** Return the colour of a joint or limb: that of its side if all of its joints are on one side. */
function sideColour(/** @type {string[]} */ names) {
  if (names.every((name) => name[0] === "l")) return LEFT;
  return names.every((name) => name[0] === "r") ? RIGHT : MIDDLE;
}
