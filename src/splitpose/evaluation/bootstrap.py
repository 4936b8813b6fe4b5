"""Bootstrap over instances: sums of per-instance values on resampled test sets, and percentile intervals."""

import warnings

import numpy as np

BLOCK = 2**19
"""Resampling weights computed at once: a few hundred resamples of a thousand instances fit a processor's cache."""


def resampled_sums(values: np.ndarray, resamples: int, seed: int, clusters: np.ndarray | None = None) -> np.ndarray:
    """Return the column sums over all instances (first row) and over each bootstrap resample.

    A resample draws as many clusters as there are, with replacement, and takes all instances of the drawn clusters.
    All columns share the same resamples, so differences between columns are paired.

    Args:
        values: (N, M) values of each instance.
        resamples: number of bootstrap resamples.
        seed: seed of the resampling.
        clusters: (N,) labels; instances with the same label are resampled together, e.g. those of one image or
            film. None resamples each instance independently.

    Returns:
        (1 + resamples, M) float64. The resamples are summed in float32, which is exact for counts below 2^24.
    """
    cluster_sums = values if clusters is None else _sum_by_cluster(values, clusters)
    totals = np.ascontiguousarray(cluster_sums, np.float32)
    rng = np.random.default_rng(seed)
    sums = np.empty((1 + resamples, values.shape[1]))
    sums[0] = values.sum(axis=0)
    rows = max(1, BLOCK // len(totals))
    for start in range(1, 1 + resamples, rows):
        block = sums[start : start + rows]
        block[:] = _draw_counts(len(block), len(totals), rng) @ totals
    return sums


def percentile_interval(resampled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % percentile interval of statistics computed from `resampled_sums`.

    A resample in which a statistic is undefined (NaN) is ignored. The interval has zero width if all instances
    have the same value, and it is too narrow for very few instances, so their number should be reported with it.

    Args:
        resampled: (1 + resamples, ...) statistics; the first row, that of all instances, is ignored.

    Returns:
        Lower and upper ends, each (...); NaN where a statistic is undefined in every resample.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # A statistic undefined in all resamples stays NaN.
        low, high = np.nanpercentile(resampled[1:], [2.5, 97.5], axis=0)
    return low, high


def count_clusters(instances: int, clusters: np.ndarray | None) -> int:
    """Return the number of bootstrap clusters of (N,) labels, or of independent instances."""
    return instances if clusters is None else len(np.unique(clusters))


def _sum_by_cluster(values: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Sum the rows of each cluster: (N, M) and (N,) labels -> (C, M), in the order of the sorted labels."""
    labels, cluster = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(labels), values.shape[1]))
    np.add.at(sums, cluster, values)
    return sums


def _draw_counts(resamples: int, clusters: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each resample draws each cluster: (resamples, clusters) float32.

    The distribution is that of NumPy's multinomial, but ten times as fast: the draws of all resamples are counted
    at once.
    """
    draws = rng.integers(clusters, size=(resamples, clusters)) + np.arange(resamples)[:, None] * clusters
    counts = np.bincount(draws.ravel(), minlength=resamples * clusters)
    return counts.reshape(resamples, clusters).astype(np.float32)
