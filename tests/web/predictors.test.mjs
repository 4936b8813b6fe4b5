import assert from "node:assert/strict";
import { test } from "node:test";

import { createPredictor } from "../../web/src/predictors.js";
import { fakeModel, joints, PADDING } from "./fake_model.mjs";

const LEFT = [150, 240, 140], RIGHT = [500, 240, 140];

/** Create a predictor of a search for people, and the model that it predicts with. */
function predictorOf(options) {
  const model = fakeModel(), searches = { count: 0 };
  const predictor = createPredictor(
    { metadata: { region_from: "joints", padding: PADDING } },
    {
      isLive: false, selectedRegion: null, isSearchEnabled: true, maxPeople: 2, threshold: () => 0.5,
      onSearch: () => searches.count++, ...options,
    },
  );
  return { model, searches, predict: () => predictor(model.predict, 640, 480) };
}

test("a still image is searched once", async () => {
  const { model, searches, predict } = predictorOf({});
  model.persons = [LEFT, RIGHT];
  const first = await predict(), searched = model.regions.length, second = await predict();
  assert.equal(first.length, 2);
  assert.deepEqual(second, first);
  assert.equal(model.regions.length, searched + 2);
  assert.equal(searches.count, 1);
});

test("an image without a person has none, however often it is predicted", async () => {
  const { predict, model } = predictorOf({});
  assert.deepEqual(await predict(), []);
  const searched = model.regions.length;
  assert.deepEqual(await predict(), []);
  assert.equal(model.regions.length, searched);
});

test("without a search the selected region or the whole image is predicted", async () => {
  const selected = { x: 150, y: 240, side: 210 };
  const { model, predict } = predictorOf({ selectedRegion: selected });
  model.persons = [LEFT];
  assert.deepEqual((await predict()).map((person) => person.region), [selected]);
  const [whole] = await predictorOf({ isSearchEnabled: false }).predict();
  assert.deepEqual(whole.region, { x: 319.5, y: 239.5, side: 640 });
});

test("two people in a video are tracked, and one person is never counted twice", async () => {
  const { model, predict } = predictorOf({ isLive: true });
  const positions = (people) => people.map((person) => person.joints[0][0]).sort((a, b) => a - b);
  model.persons = [LEFT, RIGHT];
  for (let frame = 0; frame < 3; frame++) {
    assert.deepEqual(positions(await predict()), [joints(LEFT)[0][0], joints(RIGHT)[0][0]]);
  }
  model.persons = [LEFT];
  for (let frame = 0; frame < 3; frame++) {
    const found = (await predict()).filter(({ confidence }) => confidence[0] > 0.5);
    assert.deepEqual(positions(found), [joints(LEFT)[0][0]]);
  }
});
