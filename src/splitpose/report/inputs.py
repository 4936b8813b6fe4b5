"""The inputs of the report: the results of the earlier stages, read from their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from splitpose.benchmark.schema import Benchmark


@dataclass(frozen=True)
class PreviousComparison:
    """The comparison of an earlier commit."""

    commit: str
    date: str
    """Date of the commit, ISO 8601."""
    comparison: Mapping[str, Any]
    """Content of its comparison.json."""


@dataclass(frozen=True)
class ReportInputs:
    """The content of the report. Mappings are by variant unless stated otherwise; images are PNG or JPEG."""

    comparison: Mapping[str, Any]
    """Content of comparison.json."""
    recommendation: Mapping[str, Any] | None
    """Content of recommendation.json."""
    paired_differences: Sequence[Mapping[str, Any]]
    """Content of paired_differences.json."""
    seed_variation: Mapping[str, Mapping[str, Any]]
    """Content of seed_variation.json: the variants that have several repeats."""
    slices: Mapping[str, Sequence[Mapping[str, Any]]]
    pck_curves: Mapping[str, Any]
    """Content of pck_curves.json."""
    annotator_agreement: Mapping[str, Mapping[str, Any]]
    """Annotator agreement by split."""
    metrics: Mapping[str, Mapping[str, Any]]
    decodings: Mapping[str, Sequence[Mapping[str, Any]]]
    robustness: Mapping[str, Mapping[str, Any]]
    person_detection: Mapping[str, Mapping[str, Any]]
    """Person thresholds and their errors."""
    benchmarks: Mapping[str, Benchmark]
    histories: Mapping[str, pd.DataFrame]
    """Training histories."""
    timings: Mapping[str, Mapping[str, float | None]]
    """Seconds of the training phases, summed over the repeats, for variants whose training was timed."""
    prediction_sheets: Mapping[str, bytes]
    hardest_sheet: bytes
    case_sheets: Mapping[str, bytes]
    crop_sheets: Mapping[str, bytes]
    """Crops with their joints, by split."""
    validation_summary: Mapping[str, Any]
    """Summary of the validation of the annotations."""
    profile_text: str
    """The profile's YAML file."""
    lineage: Mapping[str, Mapping[str, str]]
    """Commit, data hashes and runs that the results come from: of all variants, and of each variant."""
    comparators: Mapping[str, Any] | None
    """Content of comparators.json, if it was measured with this profile."""
    previous: PreviousComparison | None
    """The comparison of an earlier commit, if it is available."""

    @property
    def protocol(self) -> Mapping[str, Any]:
        """How the variants were scored, equal for all of them: {"n", "torso", "viewpoint", ...}."""
        return next(iter(self.metrics.values()))

    @property
    def mean_pose_pck(self) -> float:
        """PCK@0.2 of the test people's mean pose, predicted for all of them: equal for all variants."""
        score: float = next(iter(self.robustness.values()))["darkening"]["mean_pose"]
        return score
