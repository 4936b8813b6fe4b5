import assert from "node:assert/strict";
import { test } from "node:test";

import { regionOf } from "../../web/src/crop.js";
import { search, squares, sure } from "../../web/src/search.js";
import { fakeModel, MARGIN, person, square } from "./fake_model.mjs";

const around = (joints) => regionOf(joints, MARGIN);

for (const place of [[320, 240, 300], [100, 100, 110], [560, 400, 130], [200, 300, 200]]) {
  test(`a person at ${place} is found there`, async () => {
    const model = fakeModel();
    model.people = [place];
    const seen = await search(model.look, 640, 480, around);
    assert.deepEqual(seen.joints, person(place));
    assert.deepEqual(seen.region, square(place));
  });
}

test("each round looks again at a third of the squares, one after the other", async () => {
  const model = fakeModel();
  let under = 0;
  const look = async (region) => {
    assert.equal(under++, 0);
    const seen = await model.look(region);
    under--;
    return seen;
  };
  await search(look, 100, 100, around);
  // 1 + 1 + 3 x 3 + 5 x 5 = 36 squares, then 12, 4 and 1
  assert.equal(model.looks.length, 36 + 12 + 4 + 1);
  assert.deepEqual(model.looks.slice(0, 36), squares(100, 100));
});

test("how sure a look is", () => {
  assert.equal(sure({ confidence: [0.5, 1, 0.75, 0.75] }), 0.75);
});
