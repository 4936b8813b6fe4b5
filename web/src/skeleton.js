/** The joints and limbs of splitpose/skeleton.py; the shared vectors hold both to the same. */

export const JOINTS = [
  "lsho", "lelb", "lwri", "rsho", "relb", "rwri", "lhip", "rhip", "leye", "reye", "nose",
];

/** Pairs of joints that a drawing connects. */
export const LIMBS = [
  ["lsho", "lelb"], ["lelb", "lwri"], ["rsho", "relb"], ["relb", "rwri"], ["lsho", "rsho"],
  ["lsho", "lhip"], ["rsho", "rhip"], ["lhip", "rhip"], ["leye", "nose"], ["reye", "nose"],
];
