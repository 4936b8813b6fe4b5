import assert from "node:assert/strict";
import { test } from "node:test";

import { whereNext } from "../../web/src/follow.js";

const JOINTS = [[100, 50], [140, 130]];

test("the next square is around the person, margin times the longer side", () => {
  assert.deepEqual(whereNext(JOINTS, [0.5, 0.3], 1.5, 400, 300), { x: 120, y: 90, side: 120 });
});

test("who is not sure, has no confidence, or sees a person outside the picture, looks everywhere", () => {
  assert.equal(whereNext(JOINTS, [0.3, 0.1], 1.5, 400, 300), null);
  assert.equal(whereNext(JOINTS, [NaN, NaN], 1.5, 400, 300), null);
  assert.equal(whereNext(JOINTS, [0.5, 0.5], 1.5, 119, 300), null);
  assert.equal(whereNext([[100, 50], [101, 50]], [0.5, 0.5], 1.5, 400, 300), null);
  assert.equal(whereNext([[0, 0], [399, 420]], [0.5, 0.5], 1.5, 400, 300), null);
});
