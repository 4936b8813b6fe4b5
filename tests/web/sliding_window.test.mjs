import assert from "node:assert/strict";
import { test } from "node:test";

import { cropRegion } from "../../web/src/geometry.js";
import { meanConfidence, overlap, search, searchPeople, slidingWindows } from "../../web/src/sliding_window.js";
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

const HERE = [150, 240, 140], THERE = [500, 240, 140];

test("an excluded person is not found, and nobody if all are excluded", async () => {
  const model = fakeModel();
  model.persons = [HERE, THERE];
  const found = await search(model.predict, 640, 480, cropPolicy, [region(HERE)]);
  assert.deepEqual(found.joints, joints(THERE));
  const everywhere = [{ x: 320, y: 240, side: 100 }];
  assert.equal(await search(model.predict, 640, 480, () => everywhere[0], everywhere), null);
});

test("several people are found, the windows are predicted once", async () => {
  const model = fakeModel();
  model.persons = [HERE, THERE];
  const people = await searchPeople(model.predict, 640, 480, cropPolicy, 0.5, 5);
  assert.deepEqual(people.map((person) => person.joints[0][0]).sort((a, b) => a - b), [80, 430]);
  const windows = slidingWindows(640, 480);
  assert.equal(model.regions.filter((region) => JSON.stringify(region) === JSON.stringify(windows[0])).length, 1);
  assert.equal((await searchPeople(model.predict, 640, 480, cropPolicy, 0.5, 1)).length, 1);
});

test("below the threshold there is no person", async () => {
  const model = fakeModel();
  assert.deepEqual(await searchPeople(model.predict, 640, 480, cropPolicy, 0.41, 3), []);
  assert.equal((await searchPeople(model.predict, 640, 480, cropPolicy, 0.4, 1)).length, 1);
});

for (const [second, expected] of [
  [{ x: 0, y: 0, side: 2 }, 1],
  [{ x: 1, y: 0, side: 2 }, 1 / 2], // 2 of 4
  [{ x: 1, y: 1, side: 2 }, 1 / 4], // 1 of 4
  [{ x: 0, y: 0, side: 4 }, 1], // inside the larger one
  [{ x: 3, y: 3, side: 2 }, 0],
]) {
  test(`the overlap with ${JSON.stringify(second)}`, () => {
    assert.ok(Math.abs(overlap({ x: 0, y: 0, side: 2 }, second) - expected) < 1e-12);
  });
}
