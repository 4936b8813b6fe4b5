"""The annotation table in; the rows that may be used, the rows that may not and why, and a summary out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from splitpose.annotations import SPLITS, typed
from splitpose.checks.checkpoint import Checkpoints, Outcome
from splitpose.checks.measures import look_at_pictures, measure
from splitpose.checks.suites import MUST_HOLD, MUST_REMAIN, QUARANTINE, TOLD
from splitpose.errors import InputError

QUARANTINE_COLUMNS = ["id", "image", "rule", "value", "reason"]


@dataclass(frozen=True)
class Verdict:
    """What the checks say of an annotation table.

    - table: the rows that passed, typed and in their order.
    - quarantine: columns id, image, rule, value, reason; a row a person and broken rule, in table order.
    - summary: for JSON, the same from run to run:
      {"passed": bool, "failures": [line], "rows" and "groups": {split: left after quarantine},
      "quarantined_rows": n, "quarantined": {rule: rows}, "told": {rule: rows of the table as it arrived}}.
    """

    table: pd.DataFrame
    quarantine: pd.DataFrame
    summary: dict[str, Any]


def run(table: pd.DataFrame, images_root: Path, docs: Path | None) -> Verdict:
    """Check the table of a source, with its `image` paths below `images_root`; Data Docs go to `docs`.

    Raises InputError naming every rule of MUST_HOLD or MUST_REMAIN that is broken, with figures.
    """
    verdict = inspect(table, images_root, docs)
    if not verdict.summary["passed"]:
        counts = [f"{rule} {rows}" for rule, rows in verdict.summary["quarantined"].items() if rows]
        quarantined = f"; rows in quarantine: {', '.join(counts)}" if counts else ""
        raise InputError(f"annotation checks failed: {'; '.join(verdict.summary['failures'])}{quarantined}")
    return verdict


def inspect(table: pd.DataFrame, images_root: Path, docs: Path | None) -> Verdict:
    """Like `run`, but too few rows that are left are told in the summary and do not raise.

    Raises InputError where MUST_HOLD is broken, because nothing more can be said of such a table.
    """
    checkpoints = Checkpoints()
    try:
        return _inspect(checkpoints, table, images_root)
    finally:
        if docs is not None:
            checkpoints.write_docs(docs)


def _inspect(checkpoints: Checkpoints, table: pd.DataFrame, images_root: Path) -> Verdict:
    failures = _failures(checkpoints.run(MUST_HOLD, table))
    if failures:
        raise InputError(f"annotation checks failed: {'; '.join(failures)}")
    table = typed(table)
    measured = measure(table, look_at_pictures(table["image"], images_root))
    broken = _evaluated(checkpoints.run(QUARANTINE, measured))
    told = _evaluated(checkpoints.run(TOLD, measured))
    quarantine = _quarantine(table, broken)
    leaves = table["id"].isin(quarantine["id"])
    failures = _failures(checkpoints.run(MUST_REMAIN, table.assign(quarantined=leaves.astype(int))))
    kept = table[~leaves].reset_index(drop=True)
    summary = {
        "passed": not failures,
        "failures": failures,
        "rows": {split: int((kept["split"] == split).sum()) for split in SPLITS},
        "groups": {split: int(kept.loc[kept["split"] == split, "group"].nunique()) for split in SPLITS},
        "quarantined_rows": int(leaves.sum()),
        "quarantined": {outcome.rule.name: len(outcome.rows) for outcome in broken},
        "told": {outcome.rule.name: len(outcome.rows) for outcome in told},
    }
    return Verdict(kept, quarantine, summary)


def _evaluated(outcomes: list[Outcome]) -> list[Outcome]:
    """The same outcomes, of rules about rows; a rule that fails and names no row must not pass for clean."""
    for outcome in outcomes:
        if not outcome.passed and not outcome.rows:
            raise RuntimeError(f"rule {outcome.rule.name} could not be evaluated: see its entry in suites.py")
    return outcomes


def _quarantine(table: pd.DataFrame, outcomes: list[Outcome]) -> pd.DataFrame:
    """One row a broken rule and person, people in the table's order and rules in the suite's."""
    found = pd.DataFrame(
        [(id_, out.rule.name, value, out.rule.reason) for out in outcomes for id_, value in out.rows],
        columns=["id", "rule", "value", "reason"],
        dtype=object,
    )
    people = table[["id", "image"]].reset_index(names="order")
    ordered = people.merge(found, on="id").sort_values("order", kind="stable")
    return ordered[QUARANTINE_COLUMNS].reset_index(drop=True)


def _failures(outcomes: list[Outcome]) -> list[str]:
    """One text a failed rule. A rule that could not be evaluated is named only if no other failed.

    It is a consequence otherwise: without a column, every rule about it ends so.
    """
    failed = [outcome for outcome in outcomes if not outcome.passed]
    found = [f"{out.rule.name}: {out.rule.reason} ({out.figure})" for out in failed if out.figure]
    return found or [f"{out.rule.name}: {out.rule.reason} (could not be evaluated)" for out in failed]
