"""Measure what each change beyond the paper contributes, as PCK@0.1 on the validation split.

    python benchmarks/beyond_the_paper.py [--profile profiles/sample.yaml] [--seeds 1] [--json FILE]

Every row is a variant trained in both phases with one parameter of the profile changed. Requires the
outputs of the augment stage in data/, and writes nothing there. The test split is not read, so that nothing can be
selected on it. In every row, the best validation step is selected on the same instances that are scored here.

The intervals are over instances; they do not include the variance between seeds, which `--seeds` reduces.
`--iterations 4` is a quick run that tests the script.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import keras
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from splitpose import annotations, models
from splitpose.crops import tfrecords
from splitpose.evaluation import predictions
from splitpose.evaluation.bootstrap import percentile_interval, resampled_sums
from splitpose.evaluation.pck import normalised_errors
from splitpose.files import write_json
from splitpose.models.from_profile import build_codec, build_seeded_model
from splitpose.models.macs import count_macs
from splitpose.models.predict import predict
from splitpose.settings import Profile, RunConfig, Scoring, Strict
from splitpose.stages import log
from splitpose.stages.augment import augment
from splitpose.stages.fine_tune import FrozenPhase, fine_tune
from splitpose.stages.phase_outputs import PhaseOutputs
from splitpose.stages.train_frozen import train_frozen

THRESHOLD = 0.1
"""PCK threshold in torso diameters; the paper's 0.2 is too coarse to show the effect of dark decoding."""

TABLE_WIDTH = 100
"""Width of the printed table in characters."""

VARIANTS = ("baseline", "final")

CHANGES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "no horizontal flips": (VARIANTS, {"crops": {"horizontal_flip_prob": 0.0}}),
    "horizontal flips": (VARIANTS, {"crops": {"horizontal_flip_prob": 0.5}}),
    "plateau schedule": (
        VARIANTS,
        {"training": {"frozen": {"schedule": "plateau"}, "fine_tune": {"schedule": "plateau"}}},
    ),
    "cosine schedule": (
        VARIANTS,
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
"""Variants to which each change applies, and the changed parameters. A change that the profile has is skipped."""


def main() -> None:
    """Train and score the variants and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profile", type=Path, default=Path("profiles/sample.yaml"))
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--seeds", type=int, default=1, help="trainings per row, whose PCK is averaged")
    parser.add_argument("--iterations", type=int, help="maximum iterations per phase, to test the script")
    parser.add_argument("--json", type=Path, help="file for the results, written after every row")
    options = parser.parse_args()
    log.configure()
    rows: list[dict[str, Any]] = []
    for variant in VARIANTS:
        base = RunConfig.resolve(options.profile, options.params, variant)
        base = base.model_copy(update={"profile": limit_iterations(base.profile, options.iterations)})
        reference = np.empty(0)
        for name, profile in changed_profiles(base.profile, variant).items():
            config = base.model_copy(update={"profile": profile})
            crops_changed = profile.crops != base.profile.crops
            shares, costs = train_and_score(config, options.data, options.seeds, crops_changed)
            reference = reference if reference.size else shares
            scores = compare(shares, reference, profile.scoring)
            rows.append({"variant": variant, "change": name} | scores | costs)
            if options.json:
                write_json({"profile": str(options.profile), "seeds": options.seeds, "rows": rows}, options.json)
    show(rows)


def limit_iterations(profile: Profile, iterations: int | None) -> Profile:
    """Return the profile with at most this number of iterations per phase."""
    if iterations is None:
        return profile
    phases = {"frozen": profile.training.frozen, "fine_tune": profile.training.fine_tune}
    limited = {
        name: {"iterations": min(phase.iterations, iterations), "warmup_iterations": 0}
        for name, phase in phases.items()
    }
    return with_changes(profile, {"training": limited})


def changed_profiles(profile: Profile, variant: str) -> dict[str, Profile]:
    """Return the unchanged profile, and the profile with each change that applies to the variant, by name."""
    profiles = {
        name: with_changes(profile, change) for name, (variants, change) in CHANGES.items() if variant in variants
    }
    changed = {name: candidate for name, candidate in profiles.items() if candidate != profile}
    return {"unchanged profile": profile} | changed


def with_changes(settings: Any, change: dict[str, Any]) -> Any:
    """Return settings with the keys of `change`, at any depth, replaced."""
    update = {
        key: with_changes(getattr(settings, key), value) if isinstance(getattr(settings, key), Strict) else value
        for key, value in change.items()
    }
    return settings.model_copy(update=update)


def train_and_score(
    config: RunConfig, data: Path, seeds: int, crops_changed: bool
) -> tuple[np.ndarray, dict[str, Any]]:
    """Train a variant with several seeds and score it on the validation split.

    Returns:
        (N, K) shares of the trainings in which each joint of each instance is within the threshold, NaN where it is
        not annotated; and the model's size and the duration of a training.
    """
    table, shares, seconds = data / "annotations" / "annotations.parquet", [], 0.0
    first_seed = config.profile.training.seed
    for seed in range(first_seed, first_seed + seeds):
        profile = with_changes(config.profile, {"training": {"seed": seed}})
        seeded = config.model_copy(update={"profile": profile})
        with tempfile.TemporaryDirectory() as name:
            folder, crops = Path(name), data / "crops"
            if crops_changed:
                crops = folder / "crops"
                augment(profile, data, table, crops, folder / "sheets")
            start = perf_counter()
            frozen = PhaseOutputs(folder / "frozen.weights.h5", folder / "frozen.csv", folder / "frozen.json")
            final = PhaseOutputs(folder / "final.weights.h5", folder / "final.csv", folder / "final.json")
            train_frozen(seeded, crops, frozen)
            fine_tune(seeded, crops, FrozenPhase(frozen.weights, frozen.history), final)
            seconds += perf_counter() - start
            model = models.load_weights(build_seeded_model(config.variant, profile), final.weights)
            errors = validation_errors(model, seeded, crops, table)
        shares.append(np.where(np.isnan(errors), np.nan, errors <= THRESHOLD))
    costs = {
        "parameters": model.count_params(),
        "macs": count_macs(model),
        "seconds_per_training": round(seconds / seeds, 1),
    }
    return np.mean(shares, axis=0), costs


def validation_errors(model: keras.Model, config: RunConfig, crops: Path, table: Path) -> np.ndarray:
    """Return the distance of each predicted joint from the annotated one, (N, K) torso diameters."""
    codec = build_codec(config.variant, config.profile)
    instances = list(tfrecords.read(crops, "val"))
    joints = codec.decode(predict(model, np.stack([crop.pixels for crop in instances])))
    truth = predictions.ground_truth(annotations.read(table), [crop.id for crop in instances])
    return normalised_errors(truth, predictions.to_image(instances, joints), config.profile.scoring.torso_joints)


def compare(shares: np.ndarray, reference: np.ndarray, scoring: Scoring) -> dict[str, Any]:
    """Return the mean PCK of (N, K) shares and its gain over the reference, with 95 % intervals.

    Both use the same bootstrap resamples, so that the difficulty of an instance cancels out.
    """
    columns = np.stack([np.nan_to_num(shares), np.nan_to_num(reference), ~np.isnan(shares)], axis=1)
    sums = resampled_sums(columns.reshape(len(shares), -1), scoring.resamples, scoring.seed)
    correct, correct_before, annotated = np.moveaxis(sums.reshape(len(sums), 3, -1), 1, 0)
    with np.errstate(invalid="ignore"):
        pck, pck_before = (100 * np.nanmean(count / annotated, axis=1) for count in (correct, correct_before))
    scores: dict[str, Any] = {"n": len(shares)}
    for name, values in {f"pck_{THRESHOLD}": pck, "gain": pck - pck_before}.items():
        low, high = percentile_interval(values)
        scores[name] = round(float(values[0]), 2)
        scores[f"{name}_ci95"] = [round(float(low), 2), round(float(high), 2)]
    return scores


def show(rows: list[dict[str, Any]]) -> None:
    """Print a table for each variant."""
    score = f"pck_{THRESHOLD}"
    for variant in dict.fromkeys(row["variant"] for row in rows):
        title = f"{variant}: one change at a time, {rows[0]['n']} validation instances"
        table = Table(title=title, box=SIMPLE_HEAD)
        for column in ("change", f"PCK@{THRESHOLD} (95 %)", "gain (95 %)", "M parameters", "M MACs", "s"):
            table.add_column(column, no_wrap=True, justify="left" if column == "change" else "right")
        for row in (row for row in rows if row["variant"] == variant):
            table.add_row(
                row["change"],
                "{:.1f} ({:.1f}, {:.1f})".format(row[score], *row[f"{score}_ci95"]),
                "{:+.1f} ({:+.1f}, {:+.1f})".format(row["gain"], *row["gain_ci95"]),
                f"{row['parameters'] / 1e6:.2f}",
                f"{row['macs'] / 1e6:.0f}",
                f"{row['seconds_per_training']:.0f}",
            )
        Console(width=TABLE_WIDTH).print(table)


if __name__ == "__main__":
    main()
