"""Two files timed against each other on a device that may have other work, too.

What else runs on a device can only slow a file down, and p95 suffers most: on a busy machine with two cores a
fifth to a third of single measurements found a file and its copy more than 1.2 times apart. So both are measured in
turn, again and again, and the best p95 of each counts as soon as another round has confirmed it.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from splitpose.benchmark.measure import measure
from splitpose.benchmark.targets import BenchmarkOptions, Target

MIN_ROUNDS = 3
MAX_ROUNDS = 20
CONFIRMED = 1.05
"""Times the best p95 that the second best may be."""


def p95_ms(target: Target, files: Mapping[str, Path], options: BenchmarkOptions) -> dict[str, float]:
    """The p95 latency of each file, ms, with the first number of threads.

    Raises InputError naming a file or device at fault.
    """
    rounds: list[list[float]] = []
    while len(rounds) < MAX_ROUNDS and not _confirmed(rounds):
        figures = measure(target, files, options).models
        rounds.append([figures[name].p95_ms for name in files])
    return dict(zip(files, np.min(rounds, axis=0).tolist(), strict=True))


def _confirmed(rounds: list[list[float]]) -> bool:
    """Whether the best of every file has been reached nearly twice."""
    if len(rounds) < MIN_ROUNDS:
        return False
    best, second, *_ = np.sort(rounds, axis=0)
    return bool((second <= CONFIRMED * best).all())
