/** A model that sees made-up people wherever a test puts them, and guesses elsewhere: tests/predicting/fake_model.py. */

export const MARGIN = 1.5;
const SURE = 0.9, UNSURE = 0.4;

/** Two joints, (x, y, size) px: corners of the person's box. */
export const person = ([x, y, size]) => [[x - size / 2, y - size / 2], [x + size / 2, y + size / 2]];

/** The square that such a person asks for. */
export const square = ([x, y, size]) => ({ x, y, side: MARGIN * size });

/** Sees people in squares that overlap with theirs by more than 0.35; `looks` are the squares it was shown. */
export function fakeModel() {
  const model = { people: [], looks: [], sure: SURE };
  model.look = async (region) => {
    model.looks.push(region);
    const seen = model.people.find((each) => overlap(square(each), region) > 0.35);
    const joints = person(seen ?? [region.x, region.y, 0.2 * region.side]);
    return { joints, confidence: Array(2).fill(seen ? model.sure : UNSURE), region };
  };
  return model;
}

function overlap(one, other) {
  const reach = (one.side + other.side) / 2;
  const along = (gap) => Math.max(0, Math.min(reach - Math.abs(gap), one.side, other.side));
  const shared = along(one.x - other.x) * along(one.y - other.y);
  return shared / (one.side ** 2 + other.side ** 2 - shared);
}
