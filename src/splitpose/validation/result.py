"""Validation of an annotation table: splits it into valid and quarantined rows, with warnings and a summary."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, INCOMING, SPLITS, cast_columns, source_of
from splitpose.errors import InputError, some_of
from splitpose.validation.coordinate_faults import find_coordinate_faults
from splitpose.validation.expectation_suites import (
    POSTCONDITIONS,
    PRECONDITIONS,
    PUBLISHED_COUNTS,
    QUARANTINE,
    WARNINGS,
)
from splitpose.validation.gx_runner import RuleResult, SuiteRunner
from splitpose.validation.image_scan import scan_images
from splitpose.validation.row_metrics import add_row_metrics, without_area
from splitpose.validation.size_faults import find_size_faults

LISTING_COLUMNS = ["id", "image", "rule", "value", "reason"]


@dataclass(frozen=True)
class ValidationResult:
    """The result of validating an annotation table."""

    table: pd.DataFrame
    """Rows that passed, cast to the schema and in their original order; bounding boxes without area are missing."""
    quarantine: pd.DataFrame
    """Removed rows with the columns id, image, rule, value, reason; one row per instance and rule, in the order of
    the table."""
    warnings: pd.DataFrame
    """Suspicious rows of the input table, listed in the same way; they are not removed."""
    findings: tuple[str, ...]
    """One line for each file that is wrong as a whole: how many of its rows agree, likely cause, remedy."""
    image_scan: pd.DataFrame
    """Result of `scan_images`, the cache of the next validation."""
    summary: dict[str, Any]
    """Reproducible summary for JSON: {"passed": bool, "failures": [text], "rows" and "groups": {split: number left
    after quarantine}, "sources": {source: input rows}, "quarantined_rows": n, "quarantined" and "warnings":
    {rule: rows}, "findings": [text]}."""

    def raise_if_failed(self) -> None:
        """Raise InputError naming the failed postconditions and the number of rows in quarantine by rule."""
        if self.summary["passed"]:
            return
        counts = [f"{rule} {rows}" for rule, rows in self.summary["quarantined"].items() if rows]
        quarantined = f"; rows in quarantine: {', '.join(counts)}" if counts else ""
        cause = f"; likely cause: {some_of(self.findings)}" if self.findings else ""
        raise InputError(f"validation failed: {'; '.join(self.summary['failures'])}{quarantined}{cause}")


def validate(
    table: pd.DataFrame,
    images_root: Path,
    *,
    data_docs: Path | None = None,
    image_scan: pd.DataFrame | None = None,
    edition: str | None = None,
    require_splits: bool = True,
) -> ValidationResult:
    """Validate an annotation table.

    Failed postconditions are reported in the summary; call `raise_if_failed` to stop on them.

    Args:
        table: annotation table of all sources.
        images_root: folder that `image` is relative to.
        data_docs: folder for the Data Docs; None to build none.
        image_scan: `ValidationResult.image_scan` of an earlier validation; unchanged images are not decoded again.
        edition: published dataset, such as "FLIC", whose numbers of rows and images the rows outside incoming/ must
            have. Editions without published counts are not checked.
        require_splits: whether there must be rows in train and in test.

    Raises:
        InputError: A precondition or published count fails, so that the rows are not checked.
    """
    runner = SuiteRunner()
    try:
        _check_preconditions(runner, table, edition)
        return _validate_rows(runner, cast_columns(table), images_root, image_scan, require_splits)
    finally:
        if data_docs is not None:
            runner.build_data_docs(data_docs)


def _check_preconditions(runner: SuiteRunner, table: pd.DataFrame, edition: str | None) -> None:
    failures = _failures(runner.run(PRECONDITIONS, table))
    if edition in PUBLISHED_COUNTS and not failures:
        is_incoming = table["image"].map(source_of).str.split("/").str[0] == INCOMING
        failures = _failures(runner.run(PUBLISHED_COUNTS[edition], table[~is_incoming]))
    if failures:
        raise InputError(f"validation failed: {'; '.join(failures)}")


def _validate_rows(
    runner: SuiteRunner,
    table: pd.DataFrame,
    images_root: Path,
    cache: pd.DataFrame | None,
    require_splits: bool,
) -> ValidationResult:
    image_scan = scan_images(table, images_root, cache)
    faults = find_coordinate_faults(table)
    metrics = add_row_metrics(table, image_scan, faults)
    findings = [*faults.findings, *find_size_faults(metrics)]
    quarantine_results = _require_evaluated(runner.run(QUARANTINE, metrics))
    warning_results = _require_evaluated(runner.run(WARNINGS, metrics))
    quarantine = _list_rows(table, quarantine_results)
    is_quarantined = table["id"].isin(quarantine["id"])
    postconditions = POSTCONDITIONS if require_splits else POSTCONDITIONS.without("required_splits")
    failures = _failures(runner.run(postconditions, table.assign(quarantined=is_quarantined.astype(int))))
    cleared = table.copy()
    cleared.loc[without_area(table), BOX_COLUMNS] = np.nan
    valid = cleared[~is_quarantined].reset_index(drop=True)
    summary = {
        "passed": not failures,
        "failures": failures,
        "rows": {split: int((valid["split"] == split).sum()) for split in SPLITS},
        "groups": {split: int(valid.loc[valid["split"] == split, "group"].nunique()) for split in SPLITS},
        "sources": {str(source): int(rows) for source, rows in metrics.groupby("source").size().items()},
        "quarantined_rows": int(is_quarantined.sum()),
        "quarantined": {result.rule.name: len(result.unexpected_rows) for result in quarantine_results},
        "warnings": {result.rule.name: len(result.unexpected_rows) for result in warning_results},
        "findings": findings,
    }
    warnings = _list_rows(table, warning_results)
    return ValidationResult(valid, quarantine, warnings, tuple(findings), image_scan, summary)


def _require_evaluated(results: list[RuleResult]) -> list[RuleResult]:
    """Return the results of row rules; raise for a rule that failed without naming rows, which is a bug in it."""
    for result in results:
        if not result.success and not result.unexpected_rows:
            raise RuntimeError(
                f"rule {result.rule.name} could not be evaluated: see its entry in expectation_suites.py"
            )
    return results


def _list_rows(table: pd.DataFrame, results: list[RuleResult]) -> pd.DataFrame:
    """Return one row per instance and rule that it breaks, in the order of the table and then of the suite."""
    broken = pd.DataFrame(
        [
            (id_, result.rule.name, value, result.rule.reason)
            for result in results
            for id_, value in result.unexpected_rows
        ],
        columns=["id", "rule", "value", "reason"],
        dtype=object,
    )
    instances = table[["id", "image"]].reset_index(names="order")
    ordered = instances.merge(broken, on="id").sort_values("order", kind="stable")
    return ordered[LISTING_COLUMNS].reset_index(drop=True)


def _failures(results: list[RuleResult]) -> list[str]:
    """Return one line per failed rule.

    Rules that could not be evaluated are only named if no other rule failed; otherwise they are a consequence of
    the other failures, for example of a missing column.
    """
    failed = [result for result in results if not result.success]
    return [result.failure for result in failed if result.observed] or [result.failure for result in failed]
