"""compare: compare the variants on the test split, for the report and for DVC's metrics and plots."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from splitpose import annotations, paths
from splitpose.errors import InputError
from splitpose.evaluation import comparison, predictions
from splitpose.evaluation.annotator_agreement import annotator_agreement, pair_distances
from splitpose.evaluation.comparison import JsonFile, VariantResults
from splitpose.evaluation.instance_selection import select_instances
from splitpose.evaluation.paired_differences import paired_differences
from splitpose.evaluation.pck import normalised_errors
from splitpose.evaluation.pck_curves import curve_rows, pck_curves
from splitpose.evaluation.recommendation import recommend
from splitpose.evaluation.slices import score_slices
from splitpose.files import atomic_folder, write_json
from splitpose.settings import Params, Profile, Scoring, load
from splitpose.stages.command import run
from splitpose.stages.stage_outputs import Reports, existing

SLICE_THRESHOLD = 0.2
"""PCK threshold of the slices, torso diameters."""

SELECTED_PER_VARIANT, SELECTED_HARDEST = 12, 6
"""Numbers of test instances that the report shows."""


@dataclass(frozen=True)
class ScoredPredictions:
    """The predictions of all variants for the same test instances."""

    rows: pd.DataFrame
    """The N instances' rows of the annotation table, in the order of the predictions."""
    errors: Mapping[str, np.ndarray]
    """Errors (N, K) of each variant in torso diameters, NaN where not scored."""


def compare(profile: Path, params: Path, annotated: Path, reports: Path) -> None:
    """Compare the variants on the test split."""
    variants = list(load(Params, params).variants)
    scoring = load(Profile, profile).scoring
    stage_reports = Reports(reports)
    table = annotations.read(existing(annotated / paths.ANNOTATION_TABLE.name, "validate"))
    results = _read_results(stage_reports, variants)
    try:
        compared = comparison.compare(profile.stem, results)
    except InputError as error:
        raise InputError(f"{error}; run `dvc repro`") from error
    scored = _score(stage_reports, variants, table, scoring)
    metrics = {variant: result.metrics.content for variant, result in results.items()}
    analysis = _analyse(table, scored, metrics, scoring)
    histories = {
        variant: pd.read_csv(stage_reports.existing(paths.history(variant), f"select@{variant}"))
        for variant in variants
    }

    with atomic_folder(stage_reports.path(paths.ANALYSIS)) as folder:
        for path, content in analysis.items():
            write_json(content, folder / path.name)
    with atomic_folder(stage_reports.path(paths.PLOTS)) as folder:
        rows = [history.assign(variant=variant) for variant, history in histories.items()]
        pd.concat(rows).to_csv(folder / paths.TRAINING_PLOT.name, index=False)
        curves = pd.DataFrame(curve_rows(analysis[paths.PCK_CURVES]))
        curves.to_csv(folder / paths.THRESHOLDS_PLOT.name, index=False)
    write_json(compared, stage_reports.path(paths.COMPARISON))


def _read_results(reports: Reports, variants: list[str]) -> dict[str, VariantResults]:
    """Read the results of the earlier stages for each variant."""

    def read(path: Path, stage: str) -> JsonFile:
        return JsonFile(reports.path(path), reports.read_json(path, stage))

    return {
        variant: VariantResults(
            metrics=read(paths.metrics(variant), f"evaluate@{variant}"),
            parity=read(paths.parity(variant), f"convert@{variant}"),
            benchmark=read(paths.benchmark(variant), f"benchmark@{variant}"),
        )
        for variant in variants
    }


def _score(reports: Reports, variants: list[str], table: pd.DataFrame, scoring: Scoring) -> ScoredPredictions:
    """Read the predictions of all variants and compute their errors."""
    by_id = table.set_index("id", drop=False)
    errors: dict[str, np.ndarray] = {}
    rows = by_id[:0]
    for variant in variants:
        path = reports.existing(paths.predictions(variant), f"evaluate@{variant}")
        ids, joints = predictions.read(path)
        if errors and ids != rows["id"].tolist():
            raise InputError(
                f"{path}: the ids differ from those of {variants[0]}; run `dvc repro evaluate@{variant}`"
            )
        rows = by_id.loc[ids]
        errors[variant] = normalised_errors(annotations.joints_of(rows), joints, scoring.torso_joints)
    return ScoredPredictions(rows, errors)


def _analyse(
    table: pd.DataFrame, scored: ScoredPredictions, metrics: Mapping[str, Any], scoring: Scoring
) -> dict[Path, Any]:
    """Return the content of every file of the analysis, by its path."""
    torso, clusters = scoring.torso_joints, scored.rows[scoring.bootstrap_cluster].to_numpy()
    bootstrap: dict[str, Any] = {"resamples": scoring.resamples, "seed": scoring.seed, "clusters": clusters}
    differences = paired_differences(scored.errors, scoring.thresholds, **bootstrap)
    test = table[table["split"] == "test"]
    agreement = partial(
        annotator_agreement,
        thresholds=scoring.thresholds,
        torso=scoring.torso,
        resamples=scoring.resamples,
        seed=scoring.seed,
    )
    return {
        paths.PAIRED_DIFFERENCES: differences,
        paths.SLICES: {
            name: score_slices(scored.rows, errors, SLICE_THRESHOLD, torso=torso, **bootstrap)
            for name, errors in scored.errors.items()
        },
        paths.ANNOTATOR_AGREEMENT: {
            "test": agreement(test),
            "train and val": agreement(table[table["split"] != "test"]),
        },
        paths.PCK_CURVES: pck_curves(scored.errors, scoring.seed, clusters, pair_distances(test, torso)),
        paths.SELECTED_INSTANCES: select_instances(
            scored.rows["id"].tolist(), scored.errors, SELECTED_PER_VARIANT, SELECTED_HARDEST
        ),
        paths.RECOMMENDATION: recommend(metrics, differences),
    }


if __name__ == "__main__":
    run(compare)
