/** Pose models: a TFLite file with its metadata and codec, as in splitpose/inference/pose_model.py. */

import { coordinates, heatmaps } from "./codecs.js";
import { applyAffine, cropAffine, invertAffine } from "./geometry.js";
import { readMetadata } from "./metadata.js";
import { JOINTS } from "./skeleton.js";

/**
 * @typedef {import("./codecs.js").Codec} Codec
 * @typedef {import("./metadata.js").Metadata} Metadata
 * @typedef {import("./runtime.js").LoadedModel} LoadedModel
 * @typedef {import("./runtime.js").Runtime} Runtime
 * @typedef {import("./runtime.js").TensorInfo} TensorInfo
 * @typedef {object} PoseModel
 * @property {string} name
 * @property {Metadata | null} metadata null if the file has none
 * @property {number} size side of the crop, px
 * @property {string[]} joints names in the order of the output
 * @property {Codec} codec
 * @property {LoadedModel} loaded
 */

/**
 * Load a TFLite file into the runtime.
 *
 * @param {Runtime} runtime
 * @param {string} name for messages
 * @param {Uint8Array} file
 * @returns {Promise<PoseModel>}
 * @throws {Error} if the file is not a pose model or is damaged; the message names it
 */
export async function loadPoseModel(runtime, name, file) {
  try {
    const metadata = readMetadata(file);
    const loaded = await runtime.load(file);
    const joints = metadata?.joints ?? JOINTS, size = cropSize(loaded.inputs);
    const codec = createCodec(loaded.outputs, size, joints.length, metadata);
    return { name, metadata, size, joints, codec, loaded };
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/**
 * Predict the person in a region of an image.
 *
 * @param {Runtime} runtime that has loaded the model
 * @param {PoseModel} model
 * @param {import("./geometry.js").ImagePyramid} image
 * @param {import("./geometry.js").CropRegion} region
 * @returns {Promise<import("./sliding_window.js").Prediction & {ms: number}>} prediction and the model's latency
 */
export async function predictRegion(runtime, model, image, region) {
  const affine = cropAffine(region, model.size), inverse = invertAffine(affine);
  const { output, ms } = await runtime.run(image.warp(affine, model.size));
  const joints = model.codec.decode(output).map((joint) => applyAffine(inverse, joint));
  return { joints, confidence: model.codec.confidence(output), region, ms };
}

/** Return the side of the crop that the model requires, px. */
function cropSize(/** @type {TensorInfo[]} */ inputs) {
  const [{ shape }] = inputs;
  if (inputs.length === 1 && shape.length === 4 && shape[1] === shape[2] && shape[3] === 3) return shape[1];
  throw new Error(`not a pose model: the input is ${shapes(inputs)}, not one square RGB image`);
}

/**
 * Return the codec that the shape of the output implies, with the parameters that the metadata specify, if any.
 *
 * @param {TensorInfo[]} outputs
 * @param {number} size side of the crop, px
 * @param {number} joints number of joints
 * @param {Metadata | null} metadata
 */
function createCodec(outputs, size, joints, metadata) {
  const [{ shape }] = outputs;
  if (shape.length === 3 && shape[1] === joints && shape[2] === 2) return coordinates(size);
  if (shape.length === 4 && shape[1] === shape[2] && shape[3] === joints) {
    return heatmaps(shape[1], metadata?.heatmap_fwhm ?? 0, metadata?.decoding ?? "argmax");
  }
  throw new Error(
    `not a pose model: the output is ${shapes(outputs)}, neither coordinates nor heatmaps of ${joints} joints`,
  );
}

function shapes(/** @type {TensorInfo[]} */ tensors) {
  return tensors.map(({ shape }) => `(${shape.join(", ")})`).join(" and ");
}
