/** Times of runs as figures, as in splitpose/benchmark/targets/python_device.py. */

/** The value below which `percent` of the samples are, between its neighbours as NumPy has it. */
export function percentile(/** @type {ArrayLike<number>} */ samples, /** @type {number} */ percent) {
  const sorted = Float64Array.from(samples).sort();
  const place = ((sorted.length - 1) * percent) / 100, below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

/** Medians of the first and the last fifth of the time that runs without a pause took: [first, last], ms. */
export function fifths(/** @type {number[]} */ samples) {
  let end = 0;
  const ends = samples.map((ms) => (end += ms));
  const early = samples.filter((_, k) => ends[k] <= Math.max(end / 5, ends[0]));
  const late = samples.filter((ms, k) => ends[k] - ms >= Math.min((end * 4) / 5, end - samples.at(-1)));
  return [percentile(early, 50), percentile(late, 50)];
}
