/** Explanation of left and right. */

/**
 * Return which joints are the left ones, and where they are in the displayed image.
 *
 * @param {string | null} viewpoint of the model, null if it is not known
 * @param {boolean} isMirrored whether the image is displayed as in a mirror
 */
export function explainSides(viewpoint, isMirrored) {
  const [left, right] = isMirrored ? ["left", "right"] : ["right", "left"];
  const mirror = isMirrored ? " of this mirrored image" : " of the image";
  if (viewpoint === "observer") {
    return (
      `“Left” is the side towards the ${left}${mirror}, “right” the side towards the ${right}, also for a person ` +
      "seen from behind. For a person who faces the camera, they are the person’s own left and right."
    );
  }
  if (viewpoint === "person") {
    return (
      `Left and right are the person’s own. The left side of a person who faces the camera is towards the ` +
      `${left}${mirror}; that of a person seen from behind, towards the ${right}.`
    );
  }
  return "This model does not state whether left and right are the person’s own.";
}
