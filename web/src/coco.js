/**
 * Predictions in the format of COCO's keypoint annotations (https://cocodataset.org/#format-data).
 *
 * @typedef {import("./sliding_window.js").Prediction} Prediction
 */

import { meanConfidence } from "./sliding_window.js";
import { LIMBS } from "./skeleton.js";

/** @type {Record<string, string>} COCO's names of the joints. */
const COCO_NAMES = {
  lsho: "left_shoulder", lelb: "left_elbow", lwri: "left_wrist", rsho: "right_shoulder", relb: "right_elbow",
  rwri: "right_wrist", lhip: "left_hip", rhip: "right_hip", leye: "left_eye", reye: "right_eye", nose: "nose",
};
/** Value of COCO's visibility flag: the keypoint is annotated and visible. */
const VISIBLE = 2;

/**
 * Return an image and its people as the content of a COCO keypoints JSON.
 *
 * Keypoints are pixel indices. A box is that of the keypoints; its coordinates are those of pixel corners. `score`
 * is the mean confidence, null for models without confidence output.
 *
 * @param {{name: string, width: number, height: number}} image
 * @param {Prediction[]} people
 * @param {string[]} joints names in the order of the predictions
 * @param {{model: string, viewpoint: string | null}} provenance
 */
export function toCoco(image, people, joints, { model, viewpoint }) {
  const skeleton = LIMBS.filter((limb) => limb.every((name) => joints.includes(name)));
  return {
    info: { description: `Predicted by splitpose, model ${model}`, model, viewpoint },
    images: [{ id: 1, file_name: image.name, width: image.width, height: image.height }],
    categories: [
      {
        id: 1,
        name: "person",
        supercategory: "person",
        keypoints: joints.map((name) => COCO_NAMES[name] ?? name),
        skeleton: skeleton.map((limb) => limb.map((name) => joints.indexOf(name) + 1)),
      },
    ],
    annotations: people.map((person, index) => ({ id: index + 1, image_id: 1, category_id: 1, ...annotation(person) })),
  };
}

function annotation(/** @type {Prediction} */ prediction) {
  const { joints } = prediction, score = meanConfidence(prediction);
  const xs = joints.map(([x]) => x), ys = joints.map(([, y]) => y);
  const x0 = Math.min(...xs), y0 = Math.min(...ys), width = Math.max(...xs) - x0, height = Math.max(...ys) - y0;
  return {
    keypoints: joints.flatMap(([x, y]) => [rounded(x), rounded(y), VISIBLE]),
    num_keypoints: joints.length,
    bbox: [x0 + 0.5, y0 + 0.5, width, height].map(rounded),
    area: rounded(width * height),
    iscrowd: 0,
    score: Number.isNaN(score) ? null : Number(score.toFixed(4)),
  };
}

function rounded(/** @type {number} */ value) {
  return Number(value.toFixed(2));
}
