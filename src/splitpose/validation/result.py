"""The annotation table in; the rows that may be used, the rows that may not and why, and a summary out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from splitpose.annotations import INCOMING, SPLITS, source_of, typed
from splitpose.errors import InputError
from splitpose.validation.expectation_suites import POSTCONDITIONS, PRECONDITIONS, PUBLISHED, QUARANTINE, TOLD
from splitpose.validation.gx_runner import Checkpoints, Outcome
from splitpose.validation.image_scan import scan_images
from splitpose.validation.row_metrics import measure

FOUND_COLUMNS = ["id", "image", "rule", "value", "reason"]


@dataclass(frozen=True)
class ValidationResult:
    """What the checks say of an annotation table.

    - table: the rows that passed, typed and in their order.
    - quarantine, told: columns id, image, rule, value, reason; a row a person and rule, in table order. Those
      of `quarantine` left the table; those of `told` are of the table as it arrived.
    - looked: what was seen in the pictures, to be given to the next run (see `look_at_pictures`).
    - summary: for JSON, the same from run to run:
      {"passed": bool, "failures": [line], "rows" and "groups": {split: left after quarantine},
      "sources": {source: rows as they arrived}, "quarantined_rows": n, "quarantined" and "told": {rule: rows}}.
    """

    table: pd.DataFrame
    quarantine: pd.DataFrame
    told: pd.DataFrame
    looked: pd.DataFrame
    summary: dict[str, Any]


def run(
    table: pd.DataFrame,
    images_root: Path,
    docs: Path | None,
    *,
    looked: pd.DataFrame | None = None,
    published: str | None = None,
) -> ValidationResult:
    """Check the table of all sources; what it takes is `inspect`'s.

    Raises InputError naming every rule of MUST_HOLD, PUBLISHED or MUST_REMAIN that is broken, with figures.
    """
    verdict = inspect(table, images_root, docs, looked=looked, published=published)
    if not verdict.summary["passed"]:
        raise InputError(failure(verdict))
    return verdict


def inspect(
    table: pd.DataFrame,
    images_root: Path,
    docs: Path | None,
    *,
    looked: pd.DataFrame | None = None,
    published: str | None = None,
    splits_are_cut: bool = True,
) -> ValidationResult:
    """Like `run`, but too few rows that are left are told in the summary and do not raise.

    Args:
        table: annotation table.
        images_root: its `image` paths are below it.
        docs: folder for the Data Docs; none are written without it.
        looked: `Verdict.looked` of a run before, so that pictures that did not change are not decoded again.
        published: edition that the rows outside of incoming/ are exactly, as its makers published it: "FLIC".
            Of other editions nothing is known and nothing asked.
        splits_are_cut: so there must be people in train and in test.

    Raises:
        InputError: where MUST_HOLD or PUBLISHED is broken, because nothing more can be said of such a table.
    """
    checkpoints = Checkpoints()
    try:
        _must_hold(checkpoints, table, published)
        return _inspect(checkpoints, typed(table), images_root, looked, splits_are_cut)
    finally:
        if docs is not None:
            checkpoints.write_docs(docs)


def failure(verdict: ValidationResult) -> str:
    """One line that names what a verdict that has not passed fails by, with figures."""
    counts = [f"{rule} {rows}" for rule, rows in verdict.summary["quarantined"].items() if rows]
    quarantined = f"; rows in quarantine: {', '.join(counts)}" if counts else ""
    return f"annotation checks failed: {'; '.join(verdict.summary['failures'])}{quarantined}"


def _must_hold(checkpoints: Checkpoints, table: pd.DataFrame, published: str | None) -> None:
    failures = _failures(checkpoints.run(PRECONDITIONS, table))
    if published in PUBLISHED and not failures:
        is_new = table["image"].map(source_of).str.split("/").str[0] == INCOMING
        failures = _failures(checkpoints.run(PUBLISHED[published], table[~is_new]))
    if failures:
        raise InputError(f"annotation checks failed: {'; '.join(failures)}")


def _inspect(
    checkpoints: Checkpoints,
    table: pd.DataFrame,
    images_root: Path,
    looked: pd.DataFrame | None,
    splits_are_cut: bool,
) -> ValidationResult:
    looked = scan_images(table, images_root, looked)
    measured = measure(table, looked)
    broken = _evaluated(checkpoints.run(QUARANTINE, measured))
    told = _evaluated(checkpoints.run(TOLD, measured))
    quarantine = _found(table, broken)
    leaves = table["id"].isin(quarantine["id"])
    must_remain = POSTCONDITIONS if splits_are_cut else POSTCONDITIONS.without("train_and_test")
    failures = _failures(checkpoints.run(must_remain, table.assign(quarantined=leaves.astype(int))))
    kept = table[~leaves].reset_index(drop=True)
    summary = {
        "passed": not failures,
        "failures": failures,
        "rows": {split: int((kept["split"] == split).sum()) for split in SPLITS},
        "groups": {split: int(kept.loc[kept["split"] == split, "group"].nunique()) for split in SPLITS},
        "sources": {str(source): int(rows) for source, rows in measured.groupby("source").size().items()},
        "quarantined_rows": int(leaves.sum()),
        "quarantined": {outcome.rule.name: len(outcome.rows) for outcome in broken},
        "told": {outcome.rule.name: len(outcome.rows) for outcome in told},
    }
    return ValidationResult(kept, quarantine, _found(table, told), looked, summary)


def _evaluated(outcomes: list[Outcome]) -> list[Outcome]:
    """The same outcomes, of rules about rows; a rule that fails and names no row must not pass for clean."""
    for outcome in outcomes:
        if not outcome.passed and not outcome.rows:
            raise RuntimeError(f"rule {outcome.rule.name} could not be evaluated: see its entry in suites.py")
    return outcomes


def _found(table: pd.DataFrame, outcomes: list[Outcome]) -> pd.DataFrame:
    """One row a rule and person that breaks it, people in the table's order and rules in the suite's."""
    found = pd.DataFrame(
        [(id_, out.rule.name, value, out.rule.reason) for out in outcomes for id_, value in out.rows],
        columns=["id", "rule", "value", "reason"],
        dtype=object,
    )
    people = table[["id", "image"]].reset_index(names="order")
    ordered = people.merge(found, on="id").sort_values("order", kind="stable")
    return ordered[FOUND_COLUMNS].reset_index(drop=True)


def _failures(outcomes: list[Outcome]) -> list[str]:
    """One text a failed rule. A rule that could not be evaluated is named only if no other failed.

    It is a consequence otherwise: without a column, every rule about it ends so.
    """
    failed = [outcome for outcome in outcomes if not outcome.passed]
    found = [f"{out.rule.name}: {out.rule.reason} ({out.figure})" for out in failed if out.figure]
    return found or [f"{out.rule.name}: {out.rule.reason} (could not be evaluated)" for out in failed]
