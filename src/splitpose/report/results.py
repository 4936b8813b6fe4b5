"""All that the stages measured and made, read from their files: what the report is written from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from splitpose import annotations
from splitpose.annotations import SPLITS
from splitpose.benchmark.schema import Benchmark
from splitpose.drawing import jpeg
from splitpose.errors import InputError
from splitpose.evaluation import comparison, predictions
from splitpose.evaluation.annotator_agreement import agreement, differences_of_pairs
from splitpose.evaluation.paired_differences import paired_differences
from splitpose.evaluation.pck import normalised_errors
from splitpose.evaluation.slices import slices
from splitpose.files import read_json
from splitpose.report import comparators
from splitpose.report.prediction_sheet import hardest_sheet, prediction_sheet
from splitpose.settings import Scoring
from splitpose.training import history

PEOPLE_SHOWN = 12
"""On a variant's sheet."""

HARDEST_SHOWN = 6


@dataclass(frozen=True)
class Evidence:
    """Mappings are by variant where nothing else is said; pictures are PNGs or JPEGs."""

    comparison: Mapping[str, Any]
    """Of `comparison.compare`."""
    protocol: Mapping[str, Any]
    """Of `comparison.protocol`."""
    benchmarks: Mapping[str, Benchmark]
    """Of the benchmark stage: each variant's files on the target device."""
    histories: Mapping[str, pd.DataFrame]
    errors: Mapping[str, np.ndarray]
    """(N, K) of the test people in torso diameters, NaN where not scored."""
    clusters: np.ndarray
    """(N,) who is resampled together."""
    differences: list[dict[str, Any]]
    """Of `scoring.paired`."""
    slices: Mapping[str, list[dict[str, Any]]]
    readings: Mapping[str, list[dict[str, Any]]]
    """Of the evaluate stage."""
    behaviours: Mapping[str, Mapping[str, Any]]
    sheets: Mapping[str, bytes]
    """Test people with small, middling and large errors."""
    hardest: bytes
    """Test people whom all variants find hard."""
    cases: Mapping[str, bytes]
    """Crops and heatmaps of the best and the worst."""
    checks: Mapping[str, Any]
    """The data's summary."""
    agreements: Mapping[str, Mapping[str, Any]]
    """Of `scoring.agreement`, by split."""
    pairs: np.ndarray
    """(P, K) differences between two annotations of a test person."""
    crops: Mapping[str, bytes]
    """Crops with their joints, by split."""
    profile: str
    """Text of the profile's YAML file."""
    seed: int
    """Of every resampling."""
    comparators: Mapping[str, Any] | None
    """Of the comparators stage, where it ran with this profile."""


def read(
    profile: Path, scoring: Scoring, variants: list[str], data: Path, annotated: Path, reports: Path
) -> Evidence:
    """Read what the stages before the report wrote, and score what needs no model.

    Raises InputError naming a file that is missing or broken and the stage that writes it.
    """
    torso = scoring.torso_joints
    table = annotations.read(_existing(annotated / "annotations.parquet", "validate")).set_index("id", drop=False)
    errors, found, rows = {}, {}, table[:0]
    for name in variants:
        path = _existing(reports / "predictions" / f"{name}.csv", f"evaluate@{name}")
        ids, found[name] = predictions.read(path)
        if len(rows) and ids != rows["id"].tolist():
            raise InputError(f"{path}: other people than {variants[0]}'s; run `dvc repro evaluate@{name}`")
        rows = table.loc[ids]
        errors[name] = normalised_errors(predictions.truth_of(table, ids), found[name], torso)
    clusters = rows[scoring.bootstrap_cluster].to_numpy()
    resampling: dict[str, Any] = {"resamples": scoring.resamples, "seed": scoring.seed, "clusters": clusters}
    of_splits = {"test": table[table["split"] == "test"], "train and val": table[table["split"] != "test"]}
    metrics, timings = reports / "metrics", reports / "benchmark"
    return Evidence(
        comparison=comparison.compare(profile.stem, variants, metrics, reports / "parity", timings),
        protocol=comparison.protocol(variants, metrics),
        benchmarks={name: Benchmark.read(timings / f"{name}.json") for name in variants},
        histories={
            name: history.read(_existing(reports / "history" / f"{name}.csv", f"fine_tune@{name}"))
            for name in variants
        },
        errors=errors,
        clusters=clusters,
        differences=paired_differences(errors, scoring.thresholds, **resampling),
        slices={name: slices(rows, error, 0.2, torso=torso, **resampling) for name, error in errors.items()},
        readings=_of_evaluate(reports / "decodings", variants),
        behaviours=_of_evaluate(reports / "robustness", variants),
        sheets={
            name: jpeg(prediction_sheet(rows, joints, data, PEOPLE_SHOWN, torso)) for name, joints in found.items()
        },
        hardest=jpeg(hardest_sheet(rows, found, errors, data, HARDEST_SHOWN)),
        cases={
            name: _existing(reports / "cases" / f"{name}.jpg", f"evaluate@{name}").read_bytes() for name in variants
        },
        checks=read_json(annotated / "checks.json", produced_by="`dvc repro validate`"),
        agreements={
            split: agreement(people, scoring.thresholds, scoring.torso, scoring.resamples, scoring.seed)
            for split, people in of_splits.items()
        },
        pairs=differences_of_pairs(of_splits["test"], torso),
        crops={split: _existing(reports / "crops" / f"{split}.jpg", "augment").read_bytes() for split in SPLITS},
        profile=profile.read_text(),
        seed=scoring.seed,
        comparators=comparators.read(reports / "comparators.json", profile.stem),
    )


def _existing(path: Path, stage: str) -> Path:
    if not path.is_file():
        raise InputError(f"{path}: no such file; `dvc repro {stage}` writes it")
    return path


def _of_evaluate(folder: Path, variants: list[str]) -> dict[str, Any]:
    return {
        name: read_json(folder / f"{name}.json", produced_by=f"`dvc repro evaluate@{name}`") for name in variants
    }
