import assert from "node:assert/strict";
import { test } from "node:test";

import { explainSides } from "../../web/src/viewpoint.js";

for (const [viewpoint, isMirrored, expected] of [
  ["observer", false, /^“Left” is the side towards the right of the image, “right” the side towards the left/],
  ["observer", true, /^“Left” is the side towards the left of this mirrored image, “right” .* towards the right/],
  ["person", false, /person’s own\. .* faces the camera is towards the right of the image; .* from behind, .* left\.$/],
  ["person", true, /person’s own\. .* faces the camera is towards the left of this mirrored image; .* right\.$/],
  [null, false, /^This model does not state/],
]) {
  test(`${viewpoint}, ${isMirrored ? "" : "not "}mirrored`, () => {
    assert.match(explainSides(viewpoint, isMirrored), expected);
  });
}
