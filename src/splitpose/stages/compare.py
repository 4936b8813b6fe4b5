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
from splitpose.evaluation.repeat_scores import RepeatScores, score_repeats
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
    """The predictions of all repeats of all variants for the same test instances."""

    rows: pd.DataFrame
    """The N instances' rows of the annotation table, in the order of the predictions."""
    repeats: Mapping[str, Mapping[int, np.ndarray]]
    """Errors (N, K) of each variant's repeats in torso diameters, NaN where not scored."""
    exported: Mapping[str, int]
    """The repeat of each variant that is exported."""

    @property
    def errors(self) -> dict[str, np.ndarray]:
        """The errors (S, N, K) of each variant's S repeats."""
        return {variant: np.stack(list(repeats.values())) for variant, repeats in self.repeats.items()}

    @property
    def exported_errors(self) -> dict[str, np.ndarray]:
        """The errors (N, K) of each variant's exported repeat."""
        return {variant: repeats[self.exported[variant]] for variant, repeats in self.repeats.items()}


def compare(profile: Path, params: Path, annotated: Path, reports: Path) -> None:
    """Compare the variants on the test split.

    Scores and differences are those of all repeats. Slices, PCK curves, selected instances, and everything about
    TFLite files are those of each variant's exported repeat.
    """
    variants = list(load(Params, params).variants)
    scoring = load(Profile, profile).scoring
    stage_reports = Reports(reports)
    table = annotations.read(existing(annotated / paths.ANNOTATION_TABLE.name, "validate"))
    scored = _score(stage_reports, variants, table, scoring)
    repeated = _score_repeats(scored, scoring)
    results = _read_results(stage_reports, scored, repeated)
    try:
        compared = comparison.compare(profile.stem, results)
    except InputError as error:
        raise InputError(f"{error}; run `dvc repro`") from error
    analysis = _analyse(table, scored, compared["variants"], scoring)
    analysis[paths.SEED_VARIATION] = {variant: scores.variation for variant, scores in repeated.items()}
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


def _read_results(
    reports: Reports, scored: ScoredPredictions, repeated: Mapping[str, RepeatScores]
) -> dict[str, VariantResults]:
    """Read the results of the earlier stages for each variant."""
    return {
        variant: VariantResults(
            metrics=_read_json(reports, paths.metrics(variant), f"evaluate@{variant}"),
            parity=_read_json(reports, paths.parity(variant), f"convert@{variant}"),
            benchmark=_read_json(reports, paths.benchmark(variant), f"benchmark@{variant}"),
            exported=exported,
            repeated=repeated.get(variant),
        )
        for variant, exported in scored.exported.items()
    }


def _read_json(reports: Reports, path: Path, stage: str) -> JsonFile:
    """Read a JSON file that a stage writes."""
    return JsonFile(reports.path(path), reports.read_json(path, stage))


def _score(reports: Reports, variants: list[str], table: pd.DataFrame, scoring: Scoring) -> ScoredPredictions:
    """Read the predictions of all repeats of all variants and compute their errors."""
    by_id = table.set_index("id", drop=False)
    exported: dict[str, int] = {}
    errors: dict[str, dict[int, np.ndarray]] = {}
    rows = None
    for variant in variants:
        exported[variant], repeats = _read_selection(reports, variant)
        errors[variant] = {}
        for repeat in repeats:
            path = reports.existing(paths.repeat_predictions(variant, repeat), f"evaluate@{variant}")
            ids, joints = predictions.read(path)
            if rows is not None and ids != rows["id"].tolist():
                raise InputError(
                    f"{path}: the ids differ from those of {variants[0]}; run `dvc repro evaluate@{variant}`"
                )
            rows = by_id.loc[ids]
            truth = annotations.joints_of(rows)
            errors[variant][repeat] = normalised_errors(truth, joints, scoring.torso_joints)
    return ScoredPredictions(by_id[:0] if rows is None else rows, errors, exported)


def _read_selection(reports: Reports, variant: str) -> tuple[int, list[int]]:
    """Return the number of a variant's exported repeat, and the numbers of all repeats."""
    stage = f"select@{variant}"
    selection = _read_json(reports, paths.repeat_selection(variant), stage)
    try:
        selected = int(selection.get("selected"))
        selection.get("repeats", str(selected))
    except InputError as error:
        raise InputError(f"{error}; run `dvc repro {stage}`") from error
    return selected, sorted(int(repeat) for repeat in selection.get("repeats"))


def _score_repeats(scored: ScoredPredictions, scoring: Scoring) -> dict[str, RepeatScores]:
    """Score the variants that have several repeats."""
    return {
        variant: score_repeats(errors, scoring.thresholds, **_bootstrap(scored, scoring))
        for variant, errors in scored.errors.items()
        if len(errors) > 1
    }


def _bootstrap(scored: ScoredPredictions, scoring: Scoring) -> dict[str, Any]:
    """Return the arguments of all functions that resample the test instances."""
    clusters = scored.rows[scoring.bootstrap_cluster].to_numpy()
    return {"resamples": scoring.resamples, "seed": scoring.seed, "clusters": clusters}


def _analyse(
    table: pd.DataFrame, scored: ScoredPredictions, variants: Mapping[str, Any], scoring: Scoring
) -> dict[Path, Any]:
    """Return the content of every file of the analysis, by its path; `variants` are those of the comparison."""
    torso, bootstrap, exported = scoring.torso_joints, _bootstrap(scored, scoring), scored.exported_errors
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
            for name, errors in exported.items()
        },
        paths.ANNOTATOR_AGREEMENT: {
            "test": agreement(test),
            "train and val": agreement(table[table["split"] != "test"]),
        },
        paths.PCK_CURVES: pck_curves(exported, scoring.seed, bootstrap["clusters"], pair_distances(test, torso)),
        paths.SELECTED_INSTANCES: select_instances(
            scored.rows["id"].tolist(), exported, SELECTED_PER_VARIANT, SELECTED_HARDEST
        ),
        paths.RECOMMENDATION: recommend(variants, differences, len(scored.rows)),
    }


if __name__ == "__main__":
    run(compare)
