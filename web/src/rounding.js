/** Round to the nearest integer, and halves to the even one, as Python does. */
export function roundHalfToEven(/** @type {number} */ value) {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 ? nearest - 1 : nearest;
}
