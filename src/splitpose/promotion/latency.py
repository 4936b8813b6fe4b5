"""Comparison of the latency of several files on a device that may have other load.

Other load can only slow a file down, and it affects p95 most: on a busy machine with two cores, a fifth to a third
of single measurements differed by more than a factor of 1.2 between a file and its copy. The files are therefore
measured alternately in several rounds, and the lowest p95 of each file counts as soon as another round confirms it.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from splitpose.benchmark.measure import measure
from splitpose.benchmark.targets import BenchmarkOptions, Target

MIN_ROUNDS = 3
MAX_ROUNDS = 20
TOLERANCE = 1.05
"""Maximum ratio of the second lowest to the lowest p95 of a file."""


def measure_p95(target: Target, files: Mapping[str, Path], options: BenchmarkOptions) -> dict[str, float]:
    """Return the p95 latency of each file in ms, with the first number of threads.

    Raises:
        InputError: a file cannot be measured, or the device cannot be reached.
    """
    rounds: list[list[float]] = []
    while len(rounds) < MAX_ROUNDS and not _is_confirmed(rounds):
        results = measure(target, files, options).models
        rounds.append([results[name].p95_ms for name in files])
    return dict(zip(files, np.min(rounds, axis=0).tolist(), strict=True))


def _is_confirmed(rounds: list[list[float]]) -> bool:
    """Return whether two rounds agree on the lowest p95 of every file."""
    if len(rounds) < MIN_ROUNDS:
        return False
    lowest, second, *_ = np.sort(rounds, axis=0)
    return bool((second <= TOLERANCE * lowest).all())
