/** Joints in a picture with a TFLite file alone, as in splitpose/inference/crop_pose.py. */

import { readCard } from "./card.js";
import { apply, cropMap, invert } from "./crop.js";
import { coordinates, heatmaps } from "./decode.js";
import { JOINTS } from "./skeleton.js";

/**
 * @typedef {import("./crop.js").Point} Point
 * @typedef {{name: string, card: import("./card.js").Card | null, size: number, joints: string[],
 *   codec: import("./decode.js").Codec, loaded: import("./runtime.js").Loaded}} Model
 */

/**
 * Load a file.
 *
 * @param {import("./runtime.js").Runtime} runtime
 * @param {string} name that messages give it
 * @param {Uint8Array} file
 * @returns {Promise<Model>}
 * @throws {Error} naming the file where it is none, is damaged, or takes and gives something else
 */
export async function open(runtime, name, file) {
  try {
    const card = readCard(file);
    const loaded = await runtime.load(file);
    const joints = card?.joints ?? JOINTS;
    const size = sideOfCrop(loaded.inputs);
    return { name, card, size, joints, codec: codecOf(loaded.outputs, size, joints.length, card), loaded };
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
}

/**
 * Joints of the person in a square of a picture.
 *
 * @param {import("./runtime.js").Runtime} runtime that holds the model
 * @param {Model} model
 * @param {import("./crop.js").Picture} picture
 * @param {import("./crop.js").Region} region
 * @returns {Promise<{joints: Point[], confidence: number[], region: import("./crop.js").Region, ms: number}>} joints in
 *   px of the picture
 */
export async function predict(runtime, model, picture, region) {
  const affine = cropMap(region, model.size), back = invert(affine);
  const { output, ms } = await runtime.run(picture.cut(affine, model.size));
  const joints = model.codec.decode(output).map((joint) => apply(back, joint));
  return { joints, confidence: model.codec.confidence(output), region, ms };
}

/** The side of the crops that the file takes. */
function sideOfCrop(/** @type {import("./runtime.js").TensorInfo[]} */ inputs) {
  const [{ shape }] = inputs;
  if (inputs.length === 1 && shape.length === 4 && shape[1] === shape[2] && shape[3] === 3) return shape[1];
  throw new Error(`takes ${shapes(inputs)}, not one square colour picture; it is no pose model`);
}

/** What the card says, or without one what the shape of the output tells, as Python's `codec_of` does. */
function codecOf(outputs, size, joints, card) {
  const [{ shape }] = outputs;
  if (shape.length === 3 && shape[1] === joints && shape[2] === 2) return coordinates(size);
  if (shape.length === 4 && shape[1] === shape[2] && shape[3] === joints) {
    return heatmaps(shape[1], card?.heatmap_width ?? 0, card?.decoding ?? "argmax");
  }
  throw new Error(`gives ${shapes(outputs)}, neither coordinates nor heatmaps of ${joints} joints`);
}

const shapes = (tensors) => tensors.map(({ shape }) => `(${shape.join(", ")})`).join(" and ");
