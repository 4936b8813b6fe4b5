"""All figures that a verdict rests on: both files on the same test people and on the same device."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from splitpose import annotations
from splitpose.benchmark.targets import BenchmarkOptions, open_target
from splitpose.crops.instances import select_croppable
from splitpose.errors import InputError
from splitpose.evaluation.pck import normalised_errors
from splitpose.files import read_json
from splitpose.promotion.candidate import Candidate
from splitpose.promotion.differences import Difference, difference, mean_pose, score, slice_differences
from splitpose.promotion.latency import p95_ms
from splitpose.settings import Benchmark, Profile

MEAN_POSE = "mean pose"


@dataclass(frozen=True)
class Figures:
    """Of one file: mean PCK@0.2 of the test people, percent; p95 latency on the target; size."""

    pck: float
    p95_ms: float
    bytes: int


@dataclass(frozen=True)
class Parity:
    """Mean PCK@0.2 of the challenger's file and of its Keras model, percent, as the convert stage found them."""

    file: float
    keras: float


@dataclass(frozen=True)
class Evidence:
    """What is known of a challenger, and of the champion where there is one."""

    people: int
    target: str
    challenger: Figures
    champion: Figures | None
    mean_pose: float
    """Percent that the test people's mean pose scores, given for everyone."""
    difference: Difference
    """Of the challenger from the champion, or from the mean pose where there is none."""
    slices: list[Difference]
    """Of the challenger from the champion; empty where there is none."""
    parity: Parity
    data_failures: list[str]
    """What the annotations failed by."""


def test_rows(table: pd.DataFrame, *contenders: Candidate) -> pd.DataFrame:
    """The test people whom all contenders can be given, of the annotation table.

    Raises InputError where there is nobody.
    """
    for contender in contenders:
        table = select_croppable(table, contender.card.region_from)
    return table[table["split"] == "test"].reset_index(drop=True)


def gather(
    profile: Profile,
    data: Path,
    rows: pd.DataFrame,
    challenger: Candidate,
    champion: Candidate | None,
    parity: Path,
    checks: Path,
) -> Evidence:
    """Score and time both files anew, and read what the stages found.

    Args:
        profile: settings.
        data: folder that the rows' pictures lie below.
        rows: of `test_rows`.
        challenger, champion: files.
        parity: the convert stage's JSON of the challenger's variant.
        checks: the validate stage's JSON.

    Raises InputError naming a file, picture or device that cannot be read or reached, or the torso that nobody has.
    """
    contenders = {"challenger": challenger} | ({"champion": champion} if champion else {})
    file_and_keras = _parity(parity, profile.gate.precision, challenger.path)
    failures = _data_failures(checks)
    errors = _errors(profile, data, rows, contenders)
    latencies = _timed({name: contender.path for name, contender in contenders.items()}, profile.benchmark)
    figures = {
        name: Figures(score(errors[name]), latencies[name], contender.path.stat().st_size)
        for name, contender in contenders.items()
    }
    both = errors["champion" if champion else MEAN_POSE], errors["challenger"]
    clusters = rows[profile.scoring.bootstrap_cluster].to_numpy()
    return Evidence(
        people=len(rows),
        target=profile.benchmark.target,
        challenger=figures["challenger"],
        champion=figures.get("champion"),
        mean_pose=score(errors[MEAN_POSE]),
        difference=difference(*both, clusters, profile.scoring),
        slices=slice_differences(rows, *both, clusters, profile.scoring) if champion else [],
        parity=file_and_keras,
        data_failures=failures,
    )


def _errors(
    profile: Profile, data: Path, rows: pd.DataFrame, contenders: Mapping[str, Candidate]
) -> dict[str, np.ndarray]:
    """(N, K) in torso diameters of each contender, and of the mean pose in the challenger's squares."""
    people = {name: contender.people(rows, profile.crops) for name, contender in contenders.items()}
    found = {name: contender.joints(people[name], data) for name, contender in contenders.items()}
    found[MEAN_POSE] = mean_pose(people["challenger"])
    truth, torso = annotations.joints_of(rows), profile.scoring.torso_joints
    errors = {name: normalised_errors(truth, joints, torso) for name, joints in found.items()}
    if np.isnan(errors[MEAN_POSE]).all():
        raise InputError(f"annotation table: nobody of the split 'test' has both {' and '.join(torso)}; mark them")
    return errors


def _timed(files: Mapping[str, Path], settings: Benchmark) -> dict[str, float]:
    options = BenchmarkOptions(threads=(settings.threads[0],), runs=settings.runs, warmup_runs=settings.warmup_runs)
    with open_target(settings.target) as target:
        return p95_ms(target, files, options)


def _parity(path: Path, precision: str, challenger: Path) -> Parity:
    figures = read_json(path, produced_by="`dvc repro convert`")
    try:
        found = figures[precision]
        parity = Parity(float(found["pck_0.2_mean"]), float(found["keras_pck_0.2_mean"]))
        size = int(found["bytes"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: {precision}: {error!r}; run `dvc repro convert` again") from error
    if size != challenger.stat().st_size:
        raise InputError(f"{path}: is of another file than {challenger}; run `dvc repro convert` again")
    return parity


def _data_failures(path: Path) -> list[str]:
    summary = read_json(path, produced_by="`dvc repro validate`")
    try:
        return [] if summary["passed"] is True else [*map(str, summary["failures"])] or ["the checks did not pass"]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: {error!r}; run `dvc repro validate` again") from error
