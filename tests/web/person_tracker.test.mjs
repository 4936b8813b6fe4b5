import assert from "node:assert/strict";
import { test } from "node:test";

import { cropRegion } from "../../web/src/geometry.js";
import { PersonTracker } from "../../web/src/person_tracker.js";
import { fakeModel, joints, PADDING, region } from "./fake_model.mjs";

const FPS = 25, HERE = [150, 240, 140], THERE = [500, 240, 140];

/** Create a tracker of frames of 640 x 480 px, 25 per second. */
function trackerOfFrames() {
  const model = fakeModel(), tracker = new PersonTracker((joints) => cropRegion(joints, PADDING));
  let frame = 0;
  return {
    model,
    /** Return the predictions for frames with a person at each position, or without one for null. */
    async track(positions) {
      const predictions = [];
      for (const position of positions) {
        model.persons = position ? [position] : [];
        predictions.push(await tracker.update(model.predict, 640, 480, () => frame / FPS));
        frame++;
      }
      return predictions;
    },
    /** Return the number of predictions that the next frame requires. */
    async count(position) {
      const before = model.regions.length;
      await this.track([position]);
      return model.regions.length - before;
    },
  };
}

test("the first frame is searched, and the person is then tracked", async () => {
  const positions = Array.from({ length: 60 }, (_, n) => [150 + 5 * n, 200 + 2 * n, 140 + n]);
  const predictions = await trackerOfFrames().track(positions);
  predictions.forEach((prediction, n) => assert.deepEqual(prediction.joints, joints(positions[n])));
  assert.deepEqual(predictions[5].region, region(positions[4])); // the person's position in the previous frame
});

test("searches become rare", async () => {
  const tracker = trackerOfFrames(), searched = [];
  for (let frame = 0; frame < 500; frame++) if ((await tracker.count(HERE)) > 1) searched.push(frame);
  assert.equal(searched.length, 4); // after 1/3 s, 4/3 s and 16/3 s
  assert.equal(searched[0], 0);
  const gaps = searched.slice(1).map((frame, k) => frame - searched[k]);
  assert.ok(gaps[1] > 3 * gaps[0] && gaps[2] > 3 * gaps[1]);
});

test("a lost person is found again", async () => {
  const tracker = trackerOfFrames();
  await tracker.track(Array(60).fill(HERE)); // the next search would be more than a hundred frames later
  const predictions = await tracker.track(Array(12).fill(THERE));
  assert.deepEqual(predictions.at(-1).joints, joints(THERE));
});

test("a person who leaves and returns is found again", async () => {
  const tracker = trackerOfFrames();
  await tracker.track([...Array(10).fill(HERE), ...Array(60).fill(null)]);
  const predictions = await tracker.track(Array(40).fill(THERE));
  assert.deepEqual(predictions.at(-1).joints, joints(THERE));
});

test("a person is not lost when the confidence decreases slowly", async () => {
  const tracker = trackerOfFrames();
  await tracker.track(Array(200).fill(HERE));
  for (tracker.model.confidence = 0.9; tracker.model.confidence > 0.45; tracker.model.confidence -= 0.001) {
    if ((await tracker.count(HERE)) === 1) continue;
    assert.ok(tracker.model.confidence > 0.6, "only the fourth search, 7 s after the first, is expected");
  }
});

test("the whole image is predicted after a region outside the image", async () => {
  const predictions = await trackerOfFrames().track([[560, 240, 140], [645, 240, 140], [645, 240, 140]]);
  assert.deepEqual(predictions[1].region, region([560, 240, 140]));
  assert.deepEqual(predictions[2].region, { x: 319.5, y: 239.5, side: 640 });
});
