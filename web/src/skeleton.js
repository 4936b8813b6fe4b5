/** Joints and limbs as in splitpose/skeleton.py; the shared test vectors keep both identical. */

/** Names of the joints in the order of the models' outputs. */
export const JOINTS = [
  "lsho", "lelb", "lwri", "rsho", "relb", "rwri", "lhip", "rhip", "leye", "reye", "nose",
];

/** Pairs of joints that a drawing connects. @type {[string, string][]} */
export const LIMBS = [
  ["lsho", "lelb"], ["lelb", "lwri"], ["rsho", "relb"], ["relb", "rwri"], ["lsho", "rsho"],
  ["lsho", "lhip"], ["rsho", "rhip"], ["lhip", "rhip"], ["leye", "nose"], ["reye", "nose"],
];
