/** The nearest whole number, of two the even one: as Python rounds. */
export function halfToEven(/** @type {number} */ value) {
  const whole = Math.round(value);
  return whole - value === 0.5 && whole % 2 ? whole - 1 : whole;
}
