import assert from "node:assert/strict";
import { test } from "node:test";

import { toCoco } from "../../web/src/coco.js";
import { JOINTS } from "../../web/src/skeleton.js";

const IMAGE = { name: "a.jpg", width: 64, height: 48 }, PROVENANCE = { model: "final int8", viewpoint: "person" };
const joints = JOINTS.map((_, k) => [10 + k, 20.123 + 2 * k]);

test("a prediction has COCO's keys, all joints COCO's names", () => {
  const person = { joints, confidence: JOINTS.map((_, k) => (k ? 0.5 : 1)), region: { x: 0, y: 0, side: 1 } };
  const { info, images, categories, annotations } = toCoco(IMAGE, [person, person], JOINTS, PROVENANCE);
  assert.equal(info.viewpoint, "person");
  assert.deepEqual(images, [{ id: 1, file_name: "a.jpg", width: 64, height: 48 }]);
  const [{ keypoints: names, skeleton }] = categories;
  assert.deepEqual(names.slice(0, 4), ["left_shoulder", "left_elbow", "left_wrist", "right_shoulder"]);
  assert.ok(names.every((name) => /^((left|right)_(shoulder|elbow|wrist|hip|eye)|nose)$/.test(name)));
  assert.deepEqual(skeleton[0], [1, 2]); // from the left shoulder to the left elbow, counted from 1
  assert.deepEqual(annotations.map(({ id, image_id, category_id }) => [id, image_id, category_id]), [[1, 1, 1], [2, 1, 1]]);
  const [{ keypoints, num_keypoints, bbox, area, iscrowd, score }] = annotations;
  assert.deepEqual(keypoints.slice(0, 6), [10, 20.12, 2, 11, 22.12, 2]);
  assert.equal(keypoints.length, 33);
  assert.equal(num_keypoints, 11);
  assert.deepEqual(bbox, [10.5, 20.62, 10, 20]);
  assert.deepEqual([area, iscrowd], [200, 0]);
  assert.equal(score, 0.5455); // (1 + 10 x 0.5) / 11
});

test("an image without a person has no annotation, a model without confidence no score", () => {
  assert.deepEqual(toCoco(IMAGE, [], JOINTS, PROVENANCE).annotations, []);
  const person = { joints, confidence: JOINTS.map(() => NaN), region: { x: 0, y: 0, side: 1 } };
  assert.equal(toCoco(IMAGE, [person], JOINTS, PROVENANCE).annotations[0].score, null);
});
