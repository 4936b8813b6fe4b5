/**
 * A person drawn into a picture, as in splitpose/drawing.py.
 *
 * @typedef {import("./crop.js").Point} Point
 * @typedef {{points: Point[], colour: string, width: number, radius?: number}} Stroke
 *   a line between two points, a dot that wide on one, or a ring around it
 */

import { halfToEven } from "./rounding.js";
import { LIMBS } from "./skeleton.js";

/** Blue, vermilion and yellow of Okabe and Ito's palette. */
const LEFT = "#0072b2", RIGHT = "#d55e00", MIDDLE = "#f0e442", BLACK = "#000000";

/** Confidence below which a joint is drawn as a guess. */
const UNSURE = 0.5;

/**
 * What is drawn, in that order: all of it a little wider in black first, which edges it. Joints that the model is not
 * sure of become rings and their limbs thin.
 *
 * @param {Point[]} joints px of the picture
 * @param {number[]} confidence of each; NaN is sure enough
 * @param {string[]} names of the joints
 * @param {number} width of the picture
 * @param {number} height of the picture
 * @returns {Stroke[]}
 */
export function strokes(joints, confidence, names, width, height) {
  const thickness = Math.max(1, halfToEven(0.006 * Math.min(width, height)));
  const thin = Math.max(1, Math.floor(thickness / 3)), edge = 2 * Math.max(1, Math.floor(thickness / 2));
  const at = Object.fromEntries(names.map((name, k) => [name, joints[k]]));
  const unsure = Object.fromEntries(names.map((name, k) => [name, confidence[k] < UNSURE]));
  const limbs = LIMBS.filter((limb) => limb.every((name) => at[name]));
  return [edge, 0].flatMap((extra) => [
    ...limbs.map((limb) => ({
      points: limb.map((name) => at[name]),
      colour: extra ? BLACK : colourOf(limb),
      width: (limb.some((name) => unsure[name]) ? thin : thickness) + extra,
    })),
    ...names.map((name) => ({
      points: [at[name]],
      colour: extra ? BLACK : colourOf([name]),
      ...(unsure[name]
        ? { width: thin + extra, radius: 1.2 * thickness }
        : { width: 2.4 * thickness + extra }),
    })),
  ]);
}

/** px by which OpenCV's smooth edges make a dot wider than asked for. */
const DOT_EDGE = 0.8;

/** How wide OpenCV really draws a smooth line, px: measured, the same at all angles. */
const asDrawn = (width) => (width > 1 ? 2 * Math.floor((width + 1) / 2) : 0) + 1.4;

/** Draw them. Pixel centres are at integers in the picture, at halves on the canvas. */
export function paint(/** @type {CanvasRenderingContext2D} */ context, /** @type {Stroke[]} */ all) {
  context.save();
  context.translate(0.5, 0.5);
  context.lineCap = "round";
  for (const { points: [start, end], colour, width, radius } of all) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = asDrawn(width);
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

/** The colour of a joint or limb: that of its side where all of its joints are on one. */
function colourOf(/** @type {string[]} */ names) {
  if (names.every((name) => name[0] === "l")) return LEFT;
  return names.every((name) => name[0] === "r") ? RIGHT : MIDDLE;
}
