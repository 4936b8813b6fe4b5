"""The evidence for a gate decision: both files, measured on the same test instances and on the same device."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from splitpose import annotations, paths
from splitpose.benchmark.targets import BenchmarkOptions, open_target
from splitpose.crops.instances import select_croppable
from splitpose.errors import InputError
from splitpose.evaluation.pck import normalised_errors
from splitpose.files import read_json
from splitpose.promotion.candidate import Candidate
from splitpose.promotion.differences import Difference, difference, mean_pose, score, slice_differences
from splitpose.promotion.latency import measure_p95
from splitpose.promotion.unseen_instances import UnseenInstances
from splitpose.settings import Benchmark, Profile

MEAN_POSE = "mean pose"


@dataclass(frozen=True)
class Metrics:
    """Metrics of a TFLite file: mean PCK@0.2 on the test set in percent, p95 latency on the target, size."""

    pck: float
    p95_ms: float
    bytes: int

    def as_json(self) -> dict[str, float]:
        """Return the metrics by the keys of reports/comparison.json."""
        return {"pck_0.2_mean": self.pck, "p95_ms": self.p95_ms, "bytes": self.bytes}


@dataclass(frozen=True)
class ReferenceResult:
    """Mean PCK@0.2 of the reference in percent, and the challenger against it."""

    pck: float
    difference: Difference


@dataclass(frozen=True)
class Parity:
    """Mean PCK@0.2 of the challenger's TFLite file and of its Keras model in percent, from the stage convert."""

    tflite: float
    keras: float
    test_instances: int
    """Number of test instances; these are all that the challenger can crop, also those that a model has seen."""


@dataclass(frozen=True)
class Evidence:
    """Everything that the checks of the gate are based on."""

    unseen: UnseenInstances
    """The test instances."""
    target: str
    """The device of the latencies."""
    challenger: Metrics
    champion: Metrics | None
    mean_pose: float
    """Mean PCK@0.2 in percent of the test instances' mean pose as the prediction for each of them."""
    difference: Difference
    """The challenger against the champion, or against the mean pose if there is no champion."""
    reference: ReferenceResult | None
    """None if there is no reference."""
    slices: list[Difference]
    """The challenger against the champion by slice; empty if there is no champion."""
    parity: Parity
    data_failures: list[str]
    """Failures of the stage validate."""

    def as_metrics(self) -> dict[str, Any]:
        """Return the metrics of each model with their evaluation set and device, as JSON for the decision log."""
        models: dict[str, dict[str, float]] = {"challenger": self.challenger.as_json()}
        if self.champion:
            models["champion"] = self.champion.as_json()
        if self.reference:
            models["reference"] = {"pck_0.2_mean": self.reference.pck}
        return {
            "evaluation_set": self.unseen.label,
            "test_instances": len(self.unseen.rows),
            "target": self.target,
            "models": models,
        }


def select_test_rows(table: pd.DataFrame, *candidates: Candidate) -> pd.DataFrame:
    """Return the test instances of the annotation table that every candidate's crop policy can crop.

    Raises:
        InputError: no instance is left.
    """
    for candidate in candidates:
        table = select_croppable(table, candidate.metadata.region_from)
    return table[table["split"] == "test"].reset_index(drop=True)


def measure(
    root: Path,
    profile: Profile,
    unseen: UnseenInstances,
    challenger: Candidate,
    champion: Candidate | None,
    reference: Candidate | None = None,
) -> Evidence:
    """Score all files, time challenger and champion, and read the results of the stages convert and validate.

    Args:
        root: the project, which contains the images of the rows.
        profile: settings.
        unseen: the test instances.
        challenger: the file to be promoted.
        champion: the file in use, None if there is none.
        reference: the fixed version, None if there is none; it is not scored again if it is the champion's object.

    Raises:
        InputError: a file or an image cannot be read, the device is not available, or no test instance has a torso.
    """
    rows = unseen.rows
    timed = {"challenger": challenger} | ({"champion": champion} if champion else {})
    scored = timed | ({"reference": reference} if reference and reference is not champion else {})
    parity = _read_parity(root / paths.parity(profile.gate.variant), profile.gate.precision, challenger.path)
    failures = _read_data_failures(root / paths.VALIDATION_SUMMARY)
    errors = _errors(profile, root / paths.DATA, rows, scored)
    latencies = _latencies({name: candidate.path for name, candidate in timed.items()}, profile.benchmark)
    metrics = {
        name: Metrics(score(errors[name]), latencies[name], candidate.path.stat().st_size)
        for name, candidate in timed.items()
    }
    compared = errors["champion" if champion else MEAN_POSE], errors["challenger"]
    clusters = rows[profile.scoring.bootstrap_cluster].to_numpy()
    against_champion = difference(*compared, clusters, profile.scoring)
    reference_result = None
    if reference:
        reference_errors = errors["champion" if reference is champion else "reference"]
        against_reference = difference(reference_errors, errors["challenger"], clusters, profile.scoring)
        reference_result = ReferenceResult(score(reference_errors), against_reference)
    return Evidence(
        unseen=unseen,
        target=profile.benchmark.target,
        challenger=metrics["challenger"],
        champion=metrics.get("champion"),
        mean_pose=score(errors[MEAN_POSE]),
        difference=against_champion,
        reference=reference_result,
        slices=slice_differences(rows, *compared, clusters, profile.scoring) if champion else [],
        parity=parity,
        data_failures=failures,
    )


def _errors(
    profile: Profile, data: Path, rows: pd.DataFrame, candidates: Mapping[str, Candidate]
) -> dict[str, np.ndarray]:
    """Return (N, K) errors in torso diameters of each candidate, and of the mean pose in the challenger's crops."""
    instances = {name: candidate.instances(rows, profile.crops) for name, candidate in candidates.items()}
    predictions = {
        name: candidate.model.predict_instances(instances[name], data) for name, candidate in candidates.items()
    }
    predictions[MEAN_POSE] = mean_pose(instances["challenger"])
    truth, torso = annotations.joints_of(rows), profile.scoring.torso_joints
    errors = {name: normalised_errors(truth, joints, torso) for name, joints in predictions.items()}
    if np.isnan(errors[MEAN_POSE]).all():
        torso_text = " and ".join(torso)
        raise InputError(f"annotation table: no instance of the split 'test' has both {torso_text}; annotate them")
    return errors


def _latencies(files: Mapping[str, Path], settings: Benchmark) -> dict[str, float]:
    """Return the p95 latency in ms of each file on the profile's target."""
    options = BenchmarkOptions(threads=(settings.threads[0],), runs=settings.runs, warmup_runs=settings.warmup_runs)
    with open_target(settings.target) as target:
        return measure_p95(target, files, options)


def _read_parity(path: Path, precision: str, challenger: Path) -> Parity:
    """Read the parity of the challenger. Raises InputError if the file belongs to another TFLite file."""
    results = read_json(path, produced_by="the stage convert")
    try:
        result = results[precision]
        pcks = float(result["pck_0.2_mean"]), float(result["keras_pck_0.2_mean"])
        parity = Parity(*pcks, int(result["test_instances"]))
        size = int(result["bytes"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: {precision}: {error!r}; run the stage convert again") from error
    if size != challenger.stat().st_size:
        raise InputError(f"{path}: does not belong to {challenger}; run the stage convert again")
    return parity


def _read_data_failures(path: Path) -> list[str]:
    """Read the failures of the annotations' validation, none if they passed."""
    summary = read_json(path, produced_by="the stage validate")
    try:
        return [] if summary["passed"] is True else [*map(str, summary["failures"])] or ["validation failed"]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: {error!r}; run the stage validate again") from error
