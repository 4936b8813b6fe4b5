import assert from "node:assert/strict";
import { test } from "node:test";

import { regionOf } from "../../web/src/crop.js";
import { Follower } from "../../web/src/follow.js";
import { fakeModel, MARGIN, person, square } from "./fake_model.mjs";

const RATE = 25, HERE = [150, 240, 140], THERE = [500, 240, 140];

/** A follower of somebody in pictures of 640 x 480 px, 25 a second. */
function follower() {
  const model = fakeModel(), following = new Follower((joints) => regionOf(joints, MARGIN));
  let frame = 0;
  return {
    model,
    /** What is seen of somebody who stands at each of the places, or of nobody, a picture each. */
    async walk(places) {
      const seen = [];
      for (const place of places) {
        model.people = place ? [place] : [];
        seen.push(await following.see(model.look, 640, 480, () => frame / RATE));
        frame++;
      }
      return seen;
    },
    /** Looks that the next picture takes. */
    async looks(place) {
      const before = model.looks.length;
      await this.walk([place]);
      return model.looks.length - before;
    },
  };
}

test("a person is searched, and then followed", async () => {
  const places = Array.from({ length: 60 }, (_, n) => [150 + 5 * n, 200 + 2 * n, 140 + n]);
  const seen = await follower().walk(places);
  seen.forEach(({ joints }, n) => assert.deepEqual(joints, person(places[n])));
  assert.deepEqual(seen[5].region, square(places[4])); // where the person was a picture before
});

test("searches get seldom", async () => {
  const one = follower(), searched = [];
  for (let frame = 0; frame < 500; frame++) if ((await one.looks(HERE)) > 1) searched.push(frame);
  assert.equal(searched.length, 4); // after 1/3 s, 4/3 s and 16/3 s
  assert.equal(searched[0], 0);
  const gaps = searched.slice(1).map((frame, k) => frame - searched[k]);
  assert.ok(gaps[1] > 3 * gaps[0] && gaps[2] > 3 * gaps[1]);
});

test("who is lost is found again", async () => {
  const one = follower();
  await one.walk(Array(60).fill(HERE)); // the next search would be more than a hundred pictures off
  const seen = await one.walk(Array(12).fill(THERE));
  assert.deepEqual(seen.at(-1).joints, person(THERE));
});

test("who leaves and comes back is found again", async () => {
  const one = follower();
  await one.walk([...Array(10).fill(HERE), ...Array(60).fill(null)]);
  const seen = await one.walk(Array(40).fill(THERE));
  assert.deepEqual(seen.at(-1).joints, person(THERE));
});

test("who is less sure by and by is not lost", async () => {
  const one = follower();
  await one.walk(Array(200).fill(HERE));
  for (one.model.sure = 0.9; one.model.sure > 0.45; one.model.sure -= 0.001) {
    if ((await one.looks(HERE)) === 1) continue;
    assert.ok(one.model.sure > 0.6, "the fourth search, 7 s after the first, and no other");
  }
});

test("a square out of the picture is not followed: the whole is looked at", async () => {
  const seen = await follower().walk([[560, 240, 140], [645, 240, 140], [645, 240, 140]]);
  assert.deepEqual(seen[1].region, square([560, 240, 140]));
  assert.deepEqual(seen[2].region, { x: 319.5, y: 239.5, side: 640 });
});
