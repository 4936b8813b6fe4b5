/** Statistics of latencies as in splitpose/benchmark/targets/latency_statistics.py. */

/**
 * Return a percentile, interpolated linearly between samples as NumPy does.
 *
 * @param {ArrayLike<number>} samples
 * @param {number} percent
 */
export function percentile(samples, percent) {
  const sorted = Float64Array.from(samples).sort();
  const position = ((sorted.length - 1) * percent) / 100, lower = Math.floor(position);
  const upper = Math.min(lower + 1, sorted.length - 1);
  return sorted[lower] + (sorted[upper] - sorted[lower]) * (position - lower);
}

/**
 * Return the medians of the first and the last fifth of the time of runs without a pause, ms.
 *
 * @param {number[]} samples times of the runs, ms
 * @returns {[number, number]}
 */
export function fifthMedians(samples) {
  let end = 0;
  const ends = samples.map((ms) => (end += ms)), last = samples[samples.length - 1];
  const early = samples.filter((_, k) => ends[k] <= Math.max(end / 5, ends[0]));
  const late = samples.filter((ms, k) => ends[k] - ms >= Math.min((end * 4) / 5, end - last));
  return [percentile(early, 50), percentile(late, 50)];
}
