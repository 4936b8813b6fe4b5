"""What each step beyond the paper gives alone: PCK@0.1 of the validation people, against the profile as it is.

    python benchmarks/beyond_the_paper.py [--profile profiles/sample.yaml] [--seeds 1] [--json FILE]

Every row is a variant trained anew, both phases, with one thing of the profile changed. Needs data/ as the augment
stage leaves it; writes nothing there. Test people are not read, so that nothing can be chosen on them. The best
look of each training is chosen on the same validation people who are scored here, in every row alike.

The intervals are over people: they say nothing of how much another seed would change, which `--seeds` averages out.
`--iterations 4` is a quick run that shows whether all of it works.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from splitpose import annotations, models
from splitpose.crops import tfrecords
from splitpose.evaluation import predictions
from splitpose.evaluation.bootstrap import interval, resampled_sums
from splitpose.evaluation.pck import normalised_errors
from splitpose.files import write_json
from splitpose.models.macs import count_macs
from splitpose.settings import Profile, Scoring, Strict, load
from splitpose.stages.augment import augment
from splitpose.stages.fine_tune import fine_tune
from splitpose.stages.train_frozen import train_frozen
from splitpose.stages.training_run import start
from splitpose.training.phase import predict

THRESHOLD = 0.1
"""Of the torso diameter; 0.2, the paper's, is too coarse to show what dark does."""

WIDTH = 100
"""Of the table, characters."""

STEPS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "no mirroring": (("baseline", "final"), {"crops": {"horizontal_flip_prob": 0.0}}),
    "mirroring": (("baseline", "final"), {"crops": {"horizontal_flip_prob": 0.5}}),
    "plateau schedule": (
        ("baseline", "final"),
        {"training": {"frozen": {"schedule": "plateau"}, "fine_tune": {"schedule": "plateau"}}},
    ),
    "cosine schedule": (
        ("baseline", "final"),
        {"training": {"frozen": {"schedule": "cosine"}, "fine_tune": {"schedule": "cosine"}}},
    ),
    "squared loss": (("baseline",), {"training": {"coordinate_loss": "squared"}}),
    "huber loss": (("baseline",), {"training": {"coordinate_loss": "huber"}}),
    "wing loss": (("baseline",), {"training": {"coordinate_loss": "wing"}}),
    "argmax decoding": (("final",), {"model": {"decoding": "argmax"}}),
    "dark decoding": (("final",), {"model": {"decoding": "dark"}}),
    "sliced": (("final",), {"model": {"split": "sliced"}}),
    "shared": (("final",), {"model": {"split": "shared"}}),
}
"""Step: (the variants that it concerns, what it changes). Those that the profile takes already are left out."""


def main() -> None:
    """Train, score and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profile", type=Path, default=Path("profiles/sample.yaml"))
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each row, whose PCK is averaged")
    parser.add_argument("--iterations", type=int, help="of each phase at most, to try the script out")
    parser.add_argument("--json", type=Path, help="file for the figures, written after every row")
    options = parser.parse_args()
    profile = shortened(load(Profile, options.profile), options.iterations)
    rows: list[dict[str, Any]] = []
    for variant in ("baseline", "final"):
        as_it_is = np.empty(0)
        for step, one in profiles(profile, variant).items():
            found, facts = trained(one, profile, variant, options.params, options.data, options.seeds)
            as_it_is = as_it_is if as_it_is.size else found
            rows.append({"variant": variant, "step": step} | compared(found, as_it_is, profile.scoring) | facts)
            if options.json:
                write_json({"profile": str(options.profile), "seeds": options.seeds, "rows": rows}, options.json)
    show(rows)


def shortened(profile: Profile, iterations: int | None) -> Profile:
    """The profile with at most so many iterations a phase."""
    if iterations is None:
        return profile
    phases = {"frozen": profile.training.frozen, "fine_tune": profile.training.fine_tune}
    few = {
        name: {"iterations": min(phase.iterations, iterations), "warmup_iterations": 0}
        for name, phase in phases.items()
    }
    return changed(profile, {"training": few})


def profiles(profile: Profile, variant: str) -> dict[str, Profile]:
    """The profile as it is, first, and with each step that concerns the variant and changes something."""
    steps = {step: changed(profile, change) for step, (variants, change) in STEPS.items() if variant in variants}
    return {"profile as it is": profile} | {step: one for step, one in steps.items() if one != profile}


def changed(settings: Any, change: dict[str, Any]) -> Any:
    """Settings with the keys of `change` changed, however deep."""
    update = {
        key: changed(getattr(settings, key), value) if isinstance(getattr(settings, key), Strict) else value
        for key, value in change.items()
    }
    return settings.model_copy(update=update)


def trained(
    profile: Profile, as_it_is: Profile, variant: str, params: Path, data: Path, seeds: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Train and score.

    Returns:
        (N, K) shares of the trainings that found each joint of each validation person, NaN where not annotated; and
        the model's size and what a training took.
    """
    table, shares, seconds = data / "annotations" / "annotations.parquet", [], 0.0
    for seed in range(profile.training.seed, profile.training.seed + seeds):
        one = changed(profile, {"training": {"seed": seed}})
        with tempfile.TemporaryDirectory() as name:
            folder, crops = Path(name), data / "crops"
            if profile.crops != as_it_is.crops:
                crops = folder / "crops"
                augment(one, data, table, crops, folder / "sheets")
            began = perf_counter()
            frozen, curve = folder / "frozen.weights.h5", folder / "frozen.csv"
            weights = folder / "final.weights.h5"
            train_frozen(one, params, variant, crops, frozen, curve)
            fine_tune(one, params, variant, crops, frozen, curve, weights, folder / "final.csv")
            seconds += perf_counter() - began
            model = models.load_weights(start(variant, one), weights)
            errors = errors_of_validation(model, one, variant, crops, table)
        shares.append(np.where(np.isnan(errors), np.nan, errors <= THRESHOLD))
    facts = {
        "parameters": model.count_params(),
        "macs": count_macs(model),
        "seconds_a_training": round(seconds / seeds, 1),
    }
    return np.mean(shares, axis=0), facts


def errors_of_validation(model: Any, profile: Profile, variant: str, crops: Path, table: Path) -> np.ndarray:
    """Distance of each joint of the validation people from the annotated one, (N, K) torso diameters."""
    codec = models.build_codec(variant, profile.crops.size, profile.training.heatmap_fwhm, profile.model.decoding)
    people = list(tfrecords.read(crops, "val"))
    joints = codec.decode(predict(model, np.stack([crop.pixels for crop in people])))
    truth = predictions.truth_of(annotations.read(table), [crop.id for crop in people])
    return normalised_errors(truth, predictions.in_pictures(people, joints), profile.scoring.torso_joints)


def compared(found: np.ndarray, as_it_is: np.ndarray, scoring: Scoring) -> dict[str, Any]:
    """Mean PCK of (N, K) shares of found joints, and its gain over others of the same people, with 95 % intervals.

    Both are of the same resamples of the people, so that what makes a person hard for both falls out of the gain.
    """
    columns = np.stack([np.nan_to_num(found), np.nan_to_num(as_it_is), ~np.isnan(found)], axis=1)
    sums = resampled_sums(columns.reshape(len(found), -1), scoring.resamples, scoring.seed)
    shares, before, known = np.moveaxis(sums.reshape(len(sums), 3, -1), 1, 0)
    with np.errstate(invalid="ignore"):
        pck, pck_before = (100 * np.nanmean(one / known, axis=1) for one in (shares, before))
    figures: dict[str, Any] = {"people": len(found)}
    for name, values in {f"pck_{THRESHOLD}": pck, "gain": pck - pck_before}.items():
        low, high = interval(values)
        figures[name] = round(float(values[0]), 2)
        figures[f"{name}_ci95"] = [round(float(low), 2), round(float(high), 2)]
    return figures


def show(rows: list[dict[str, Any]]) -> None:
    """Print a table for each variant."""
    score = f"pck_{THRESHOLD}"
    for variant in dict.fromkeys(row["variant"] for row in rows):
        table = Table(title=f"{variant}: each step alone, {rows[0]['people']} validation people", box=SIMPLE_HEAD)
        for column in ("step", f"PCK@{THRESHOLD} (95 %)", "gain (95 %)", "M weights", "M MACs", "s"):
            table.add_column(column, no_wrap=True, justify="left" if column == "step" else "right")
        for row in (row for row in rows if row["variant"] == variant):
            table.add_row(
                row["step"],
                "{:.1f} ({:.1f}, {:.1f})".format(row[score], *row[f"{score}_ci95"]),
                "{:+.1f} ({:+.1f}, {:+.1f})".format(row["gain"], *row["gain_ci95"]),
                f"{row['parameters'] / 1e6:.2f}",
                f"{row['macs'] / 1e6:.0f}",
                f"{row['seconds_a_training']:.0f}",
            )
        Console(width=WIDTH).print(table)


if __name__ == "__main__":
    main()
