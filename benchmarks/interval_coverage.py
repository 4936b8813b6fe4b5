"""Simulate how often 95 % intervals contain the true score of a variant and the true difference of two variants.

    python benchmarks/interval_coverage.py [--people 400] [--replications 500]

A joint is correct if the sum of these normally distributed effects exceeds a threshold: image, person, joint (all
shared by the variants and their seeds), variant x person, seed, seed x person and seed x joint. The true score is
the expected one over all people and all seeds, which is known exactly. Each replication draws new people, and 1, 3
or 5 seeds of three variants, two of which are equally good. The table shows, for intervals over people alone and
for those over people and seeds, how often they contain the truth, and how often one of two equally good variants is
called better than the other.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import ndtri

from splitpose.evaluation.bootstrap import resampled_sums
from splitpose.evaluation.seed_variation import estimate_difference, estimate_score

Interval = tuple[np.ndarray, np.ndarray]

SCORES = (87.0, 87.0, 89.0)
"""True PCK of the three variants in percent."""
JOINTS = 11
PEOPLE_PER_IMAGE = 1.1
RESAMPLES = 400
"""Fewer than in the pipeline: the Monte Carlo error of a standard error is still below 4 %."""
IMAGE, PERSON, JOINT, VARIANT_PERSON, SEED_PERSON, SEED_JOINT = 0.10, 0.25, 0.35, 0.05, 0.10, 0.15
"""Variances of the effects, which sum to 1. Standard errors over people are then 0.9 points for 400 people."""
SEEDS = (1, 3, 5)
DEVIATIONS = ((0.5, 0.5), (1.0, 1.0), (2.5, 2.5), (0.3, 2.3))
"""Standard deviations between seeds of both variants in points; the last are similar to those of final and no_gap
on the sample."""


@dataclass(frozen=True)
class Setting:
    """A simulated experiment: number of people and of seeds, deviation between the seeds of two kinds of variants.

    The first variant is of the first kind, the other two of the second.
    """

    people: int
    seeds: int
    deviations: tuple[float, float]


@dataclass(frozen=True)
class Coverage:
    """Percentages of the replications whose interval contains the truth, and in which a wrong statement is made."""

    score: float
    """Coverage of a variant's true score."""
    difference: float
    """Coverage of a true difference of 2 points."""
    wrong: float
    """One of two equally good variants is called better than the other."""


def main() -> None:
    """Run the simulation and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=400, help="number of test people")
    parser.add_argument("--replications", type=int, default=500, help="simulated experiments of each row")
    options = parser.parse_args()
    start = time.perf_counter()
    results = {setting: measure(setting, options.replications) for setting in iter_settings(options.people)}
    show(results, options.people)
    print(f"{options.replications} replications of each row, {time.perf_counter() - start:.0f} s")


def iter_settings(people: int) -> Iterator[Setting]:
    """Yield every combination of deviations and number of seeds."""
    for deviations in DEVIATIONS:
        for seeds in SEEDS:
            yield Setting(people, seeds, deviations)


def measure(setting: Setting, replications: int, seed: int = 0) -> tuple[Coverage, Coverage]:
    """Return the coverage of the intervals over people alone, and of those over people and seeds."""
    rng = np.random.default_rng(seed)
    images = (np.arange(setting.people) / PEOPLE_PER_IMAGE).astype(int)
    clusters = int(images[-1]) + 1
    people, both = [], []
    for replication in range(replications):
        first, equal, better = resample(simulate(setting, images, rng), images, replication)
        estimates = (
            estimate_score(equal, clusters),
            estimate_difference(better, first, clusters),
            estimate_difference(equal, first, clusters),
        )
        people.append(contain_truth([estimate.people_interval for estimate in estimates]))
        both.append(contain_truth([estimate.interval for estimate in estimates]))
    return summarise(people), summarise(both)


def contain_truth(intervals: Sequence[Interval]) -> list[bool]:
    """Return whether each interval contains the true score or difference."""
    first, equal, better = SCORES
    truths = (equal, better - first, equal - first)
    return [bool(low <= truth <= high) for (low, high), truth in zip(intervals, truths, strict=True)]


def summarise(contained: list[list[bool]]) -> Coverage:
    """Return the percentages of the replications."""
    score, difference, equal = 100 * np.mean(contained, axis=0)
    return Coverage(score, difference, 100 - equal)


def simulate(setting: Setting, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the percentage of correct joints of each person: (3 variants, S seeds, N people)."""
    people, seeds = setting.people, setting.seeds
    quantile = ndtri(np.array(SCORES) / 100)[:, None, None, None]
    points_per_unit = 100 * np.exp(-(quantile**2) / 2) / np.sqrt(2 * np.pi)
    first, second = setting.deviations
    deviation = np.array([first, second, second])[:, None, None, None] / points_per_unit

    def effect(variance: float, *shape: int) -> np.ndarray:
        values: np.ndarray = np.sqrt(variance) * rng.standard_normal(shape)
        return values

    shared = (
        effect(IMAGE, images[-1] + 1)[images][:, None] + effect(PERSON, people, 1) + effect(JOINT, people, JOINTS)
    )
    own = (
        effect(VARIANT_PERSON, 3, 1, people, 1)
        + deviation * rng.standard_normal((3, seeds, 1, 1))
        + effect(SEED_PERSON, 3, seeds, people, 1)
        + effect(SEED_JOINT, 3, seeds, people, JOINTS)
    )
    # The threshold keeps the expected scores at SCORES for any deviation between seeds.
    correct = shared + own + quantile * np.sqrt(1 + deviation**2) > 0
    percentages: np.ndarray = 100 * correct.mean(axis=-1)
    return percentages


def resample(percentages: np.ndarray, images: np.ndarray, seed: int) -> np.ndarray:
    """Return the scores of (V, S, N) percentages on all people and on resamples: (V, S, 1 + resamples)."""
    variants, seeds, people = percentages.shape
    columns = np.concatenate([percentages.reshape(-1, people), np.ones((1, people))]).T
    sums = resampled_sums(columns, RESAMPLES, seed, images)
    scores: np.ndarray = (sums[:, :-1] / sums[:, -1:]).T.reshape(variants, seeds, -1)
    return scores


def show(results: dict[Setting, tuple[Coverage, Coverage]], people: int) -> None:
    """Print the coverage of both intervals, and the share of wrong statements."""
    table = Table(
        title=f"95 % intervals over people, and over people and seeds, of {people} people", title_justify="left"
    )
    for header in ("sd between seeds", "seeds"):
        table.add_column(header)
    for header in ("score", "difference", '"better"'):
        for interval in ("people", "both"):
            table.add_column(f"{header}\n{interval}", justify="right")
    for setting, (over_people, both) in results.items():
        cells = []
        for key in ("score", "difference", "wrong"):
            value = f"{getattr(both, key):.1f}" if setting.seeds > 1 else "–"
            cells += [f"{getattr(over_people, key):.1f}", value]
        table.add_row(" and ".join(f"{value:g}" for value in setting.deviations), str(setting.seeds), *cells)
    Console(width=100).print(table)
    print("score, difference: % of the intervals that contain the truth (95 is right)")
    print('"better": % of the comparisons of equally good variants that call one of them better (5 is right)')


if __name__ == "__main__":
    main()
