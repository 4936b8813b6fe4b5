import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

import { describeTrainingGroups } from "../../web/src/training_groups.js";

const list = (count) => deflateSync(Buffer.alloc(4 * count)).toString("base64");
const rule = (prefix, from) => ({ prefix, seed: 1, from });
const record = { rules: [], listed: list(0), all_but: {}, complete: true };

for (const [name, changes, expected] of [
  ["nothing", {}, "no groups."],
  ["one group", { listed: list(1) }, "1 listed group or image."],
  [
    "rules and a list",
    { rules: [rule("", 0.2), rule("incoming/", 0.25)], listed: list(3) },
    "80 % of the groups of the data source, 75 % of the groups of data/incoming, 3 listed groups or images.",
  ],
  ["all but some", { all_but: { "": list(2) } }, "all groups of the data source except 2 groups or images."],
  [
    "an incomplete record",
    { listed: list(2), complete: false },
    "2 listed groups or images. The record is incomplete: training started from a model without one.",
  ],
  ["a damaged list", { listed: "?" }, "unknown; the record in the file is damaged."],
]) {
  test(name, async () => assert.equal(await describeTrainingGroups({ ...record, ...changes }), expected));
}

test("a file without a record", async () => {
  assert.equal(await describeTrainingGroups(null), "unknown; the file does not contain a record.");
});
