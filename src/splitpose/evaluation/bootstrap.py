"""Bootstrap over people: what a sum over them would be if other people had been drawn from the same lot."""

import warnings

import numpy as np

BLOCK = 2**19
"""Weights that are in memory at once: some hundred resamples of a thousand people fit a processor's cache."""


def resampled_sums(values: np.ndarray, resamples: int, seed: int, clusters: np.ndarray | None = None) -> np.ndarray:
    """Sums of each column over the people as they are, first, and over the people of each resample.

    A resample draws as many clusters as there are, with replacement, and takes all people of those that it drew.
    All columns are of the same resamples, so differences between columns are paired.

    Args:
        values: (N, M) numbers of each person.
        resamples: how many.
        seed: of the drawing.
        clusters: (N,) labels; people who share one are drawn together, e.g. the picture or the film they are in.
            None draws each person alone.

    Returns:
        (1 + resamples, M) float64. The resamples are summed in float32, which is exact for counts below 2^24.
    """
    drawn_together = values if clusters is None else _sums_within(values, clusters)
    totals = np.ascontiguousarray(drawn_together, np.float32)
    rng = np.random.default_rng(seed)
    sums = np.empty((1 + resamples, values.shape[1]))
    sums[0] = values.sum(axis=0)
    rows = max(1, BLOCK // len(totals))
    for start in range(1, 1 + resamples, rows):
        block = sums[start : start + rows]
        block[:] = _weights(len(block), len(totals), rng) @ totals
    return sums


def interval(resampled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of statistics (1 + resamples, ...) of `resampled_sums`: low and high, each (...).

    The middle 95 % of the resamples; a resample in which a statistic has nobody (NaN) is left out. Where all people
    agree it has no width, and from a handful of people it is too narrow: read it together with their number.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nobody in any resample: NaN is the answer
        low, high = np.nanpercentile(resampled[1:], [2.5, 97.5], axis=0)
    return low, high


def _sums_within(values: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """(N, M) and (N,) labels -> (C, M), in the order of the labels."""
    labels, cluster = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(labels), values.shape[1]))
    np.add.at(sums, cluster, values)
    return sums


def _weights(resamples: int, clusters: int, rng: np.random.Generator) -> np.ndarray:
    """How often each resample draws each cluster: (resamples, clusters) float32.

    The same distribution as NumPy's multinomial, ten times as fast: draws are counted, all resamples in one go.
    """
    draws = rng.integers(clusters, size=(resamples, clusters)) + np.arange(resamples)[:, None] * clusters
    counts = np.bincount(draws.ravel(), minlength=resamples * clusters)
    return counts.reshape(resamples, clusters).astype(np.float32)
