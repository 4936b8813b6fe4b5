import assert from "node:assert/strict";
import { test } from "node:test";

import { cropRegion } from "../../web/src/geometry.js";
import { meanConfidence, search, slidingWindows } from "../../web/src/sliding_window.js";
import { fakeModel, joints, PADDING, region } from "./fake_model.mjs";

const cropPolicy = (joints) => cropRegion(joints, PADDING);

for (const person of [[320, 240, 300], [100, 100, 110], [560, 400, 130], [200, 300, 200]]) {
  test(`a person at ${person} is found`, async () => {
    const model = fakeModel();
    model.persons = [person];
    const prediction = await search(model.predict, 640, 480, cropPolicy);
    assert.deepEqual(prediction.joints, joints(person));
    assert.deepEqual(prediction.region, region(person));
  });
}

test("each round refines a third of the predictions, one after the other", async () => {
  const model = fakeModel();
  let running = 0;
  const predict = async (region) => {
    assert.equal(running++, 0);
    const prediction = await model.predict(region);
    running--;
    return prediction;
  };
  await search(predict, 100, 100, cropPolicy);
  // 1 + 1 + 3 x 3 + 5 x 5 = 36 windows, then 12, 4 and 1
  assert.equal(model.regions.length, 36 + 12 + 4 + 1);
  assert.deepEqual(model.regions.slice(0, 36), slidingWindows(100, 100));
});

test("the confidence of a prediction is the mean of its joints", () => {
  assert.equal(meanConfidence({ confidence: [0.5, 1, 0.75, 0.75] }), 0.75);
});
