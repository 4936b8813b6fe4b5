"""Simulate 200 nights of automatic promotions, with and without the comparison with a fixed reference.

    python benchmarks/promotion_drift.py [--nights 200] [--repetitions 200] [--seed 1]

Every night a challenger is trained from the champion. Its true quality, mean PCK@0.2 in points, is the champion's
plus a normal change; the mean change of a scenario is negative where nightly training does harm. The test set is
always the same, so each model has one measurement error; the standard error of a difference of two models is 0.5
points, about that of the sample's 400 test instances. The rules are those of the gate (`promotion.checks`), with
95 % intervals and the limits of profiles/sample.yaml. The drift is the true quality of the last champion minus that
of the first.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from splitpose.promotion.checks import is_acceptable
from splitpose.promotion.differences import Difference
from splitpose.settings import Gate, Profile, load

STANDARD_ERROR = 0.5
"""Standard error of the difference of two models on the test set, points."""
Z = 1.96
"""Half width of a 95 % interval in standard errors."""


@dataclass(frozen=True)
class Scenario:
    """How a challenger differs from the champion that it was trained from."""

    mean: float
    """Mean change of the true quality, points."""
    sd: float
    """Standard deviation of the change, points."""
    measurement_sd: float = STANDARD_ERROR / 2**0.5
    """Standard deviation of a model's measurement error, points."""


@dataclass(frozen=True)
class Model:
    """A simulated model: its true quality and the quality that is measured on the test set, points."""

    true: float
    measured: float


SCENARIOS = {
    "no change on average": Scenario(0.0, 0.3),
    "small losses": Scenario(-0.1, 0.3),
    "larger losses": Scenario(-0.3, 0.3),
    "all losses, no variation": Scenario(-0.2, 0.0),
}


def simulate(
    scenario: Scenario, nights: int, has_reference: bool, gate: Gate, rng: np.random.Generator
) -> tuple[float, int]:
    """Return the drift of the champion's true quality in points, and the number of promotions."""
    reference = champion = Model(0.0, float(rng.normal(0, scenario.measurement_sd)))
    promotions = 0
    for _ in range(nights):
        true = champion.true + float(rng.normal(scenario.mean, scenario.sd))
        challenger = Model(true, true + float(rng.normal(0, scenario.measurement_sd)))
        opponents = [champion, *([reference] if has_reference else [])]
        if all(is_acceptable(difference(opponent, challenger), gate) for opponent in opponents):
            champion, promotions = challenger, promotions + 1
    return champion.true, promotions


def difference(opponent: Model, challenger: Model) -> Difference:
    """Return the measured difference with its interval."""
    points = challenger.measured - opponent.measured
    interval = (points - Z * STANDARD_ERROR, points + Z * STANDARD_ERROR)
    return Difference("all test instances", 400, points, interval)


def main() -> None:
    """Print the drift in every scenario."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nights", type=int, default=200)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    gate = load(Profile, Path(__file__).parents[1] / "profiles" / "sample.yaml").gate
    table = Table("scenario", "mean, sd per night", "reference", "drift: mean", "5 % worst", "worst", "promotions")
    for name, scenario in SCENARIOS.items():
        for has_reference in (False, True):
            rng = np.random.default_rng(options.seed)
            runs = [
                simulate(scenario, options.nights, has_reference, gate, rng) for _ in range(options.repetitions)
            ]
            drifts, promotions = np.array(runs).T
            table.add_row(
                name,
                f"{scenario.mean:+.1f}, {scenario.sd:.1f}",
                "yes" if has_reference else "no",
                f"{drifts.mean():+.1f}",
                f"{np.percentile(drifts, 5):+.1f}",
                f"{drifts.min():+.1f}",
                f"{promotions.mean():.0f}",
            )
    Console(width=116).print(table)


if __name__ == "__main__":
    main()
