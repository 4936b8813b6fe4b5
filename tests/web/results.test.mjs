import assert from "node:assert/strict";
import { test } from "node:test";

import { resultToCoco, shownPeople } from "../../web/src/results.js";
import { JOINTS } from "../../web/src/skeleton.js";

/** Return a person with this confidence of each joint. */
const person = (confidence) => ({
  joints: JOINTS.map((_, k) => [k, k]),
  confidence: JOINTS.map(() => confidence),
  region: { x: 5, y: 5, side: 10 },
});
const PEOPLE = [person(0.9), person(0.75), person(0.5)];
const SOURCE = { name: "a.jpg", width: 64, height: 48 }, MODEL = { name: "final int8", metadata: null, joints: JOINTS };

test("of the people found by a search, those whose score reaches the threshold are shown and saved", () => {
  const result = { model: MODEL, source: SOURCE, people: PEOPLE, isSearched: true };
  assert.deepEqual(shownPeople(result, 0.75), PEOPLE.slice(0, 2));
  assert.deepEqual(resultToCoco(result, 0.75).annotations.map(({ score }) => score), [0.9, 0.75]);
});

test("the person in a given region is shown and saved whatever the score", () => {
  const result = { model: MODEL, source: SOURCE, people: [person(0.2)], isSearched: false };
  assert.deepEqual(shownPeople(result, 0.75), result.people);
  assert.deepEqual(resultToCoco(result, 0.75).annotations.map(({ score }) => score), [0.2]);
});
