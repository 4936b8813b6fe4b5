/** A model that detects synthetic persons at given positions and guesses elsewhere, as tests/support/fake_model.py. */

export const PADDING = 1.5;
const CONFIDENT = 0.9, GUESS = 0.4, MIN_IOU = 0.35;

/** Return the two joints of a person (x, y, size) px: corners of its bounding box. */
export const joints = ([x, y, size]) => [[x - size / 2, y - size / 2], [x + size / 2, y + size / 2]];

/** Return the crop region that the joints of such a person suggest. */
export const region = ([x, y, size]) => ({ x, y, side: PADDING * size });

/** Create a model that detects `persons` in regions with an IoU above 0.35; `regions` lists those predicted. */
export function fakeModel() {
  const model = { persons: [], regions: [], confidence: CONFIDENT };
  model.predict = async (predicted) => {
    model.regions.push(predicted);
    const person = model.persons.find((person) => iou(region(person), predicted) > MIN_IOU);
    const found = joints(person ?? [predicted.x, predicted.y, 0.2 * predicted.side]);
    return { joints: found, confidence: Array(2).fill(person ? model.confidence : GUESS), region: predicted };
  };
  return model;
}

/** Return the intersection over union of two regions. */
export function iou(first, second) {
  const reach = (first.side + second.side) / 2;
  const extent = (gap) => Math.max(0, Math.min(reach - Math.abs(gap), first.side, second.side));
  const intersection = extent(first.x - second.x) * extent(first.y - second.y);
  return intersection / (first.side ** 2 + second.side ** 2 - intersection);
}
