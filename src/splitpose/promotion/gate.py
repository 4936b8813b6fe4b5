"""The gate: whether a challenger may replace the champion, and why.

It fails closed: if the champion or the reference cannot be compared with the challenger, nothing is promoted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from splitpose import annotations, paths
from splitpose.errors import InputError
from splitpose.promotion import candidate
from splitpose.promotion.candidate import Candidate
from splitpose.promotion.checks import CheckResult, check_unseen_instances, run_checks, summarise
from splitpose.promotion.measurements import measure, select_test_rows
from splitpose.promotion.unseen_instances import describe_unknown, exclude_seen
from splitpose.settings import Profile

REMEDIES = {
    "champion": "restore it, or choose a champion with `splitpose promote`",
    "reference": "restore it, or choose another version with `splitpose promote --reference`",
}
"""What to do about a version that cannot be compared."""


@dataclass(frozen=True)
class Opponent:
    """A registered version that the challenger is compared with: its file, or why the file is not available."""

    path: Path | None
    error: str = ""


@dataclass(frozen=True)
class GateDecision:
    """Whether the challenger replaces the champion, the results of the checks, and the reason in one line."""

    promote: bool
    checks: list[CheckResult]
    reason: str
    warnings: list[str] = field(default_factory=list)
    """What the comparison could not take into account, each in one line."""
    is_comparable: bool = True
    """False if the champion or the reference could not be compared."""
    metrics: dict[str, Any] | None = None
    """The metrics of the compared models (see `measurements.Evidence.as_metrics`), None if nothing was measured."""


def evaluate(
    root: Path,
    profile: Profile,
    challenger: Path,
    champion: Opponent | None = None,
    reference: Opponent | None = None,
) -> GateDecision:
    """Compare a TFLite file with the champion's and the reference's by the profile's `gate`.

    All files are scored on the present test instances that none of them was trained on, each with crops as its own
    metadata specifies; challenger and champion are timed alternately on the profile's target. A champion that was
    built for an earlier test set or another input size can therefore be compared. Without a champion, the mean pose
    takes its place. A champion or reference that cannot be compared blocks the challenger.

    Args:
        root: the project, with the annotation table, its images and the results of the stages.
        profile: settings.
        challenger: a TFLite file with metadata, which the stage convert has written.
        champion: the champion, None if there is none.
        reference: the fixed version that the challenger is compared with as well, None if there is none.

    Raises:
        InputError: anything but the champion and the reference is missing, damaged or not available.
    """
    table = annotations.read(root / paths.ANNOTATION_TABLE)
    new = candidate.load(challenger)
    select_test_rows(table, new)
    opponents: dict[str, Candidate] = {}
    for name, opponent in (("champion", champion), ("reference", reference)):
        if opponent:
            try:
                opponents[name] = _load(opponent, new, table)
            except InputError as error:
                reason = f"the {name} cannot be compared ({error}); {REMEDIES[name]}"
                return GateDecision(False, [], _one_line(reason), is_comparable=False)
    old = opponents.get("champion")
    if old and _same_file(old, new):
        return GateDecision(
            False, [], "the challenger is the same file as the champion, so there is nothing to compare"
        )
    return _compare(root, profile, table, {"challenger": new, **opponents})


def _load(opponent: Opponent, challenger: Candidate, table: pd.DataFrame) -> Candidate:
    """Return a candidate that can be compared with the challenger.

    Raises:
        InputError: the file is not available or cannot be compared; the message has no temporary path.
    """
    if opponent.path is None:
        raise InputError(opponent.error)
    try:
        loaded = candidate.load(opponent.path)
    except InputError as error:
        raise InputError(str(error).replace(str(opponent.path), "its file")) from error
    if loaded.metadata.viewpoint != challenger.metadata.viewpoint:
        raise InputError(f"its left and right are the {loaded.metadata.viewpoint}'s")
    select_test_rows(table, challenger, loaded)
    return loaded


def _compare(
    root: Path, profile: Profile, table: pd.DataFrame, candidates: Mapping[str, Candidate]
) -> GateDecision:
    """Run the checks on the test instances that no candidate has seen; with too few of them, only that check."""
    groups = {name: one.training_groups for name, one in candidates.items()}
    new, old, reference = (candidates.get(name) for name in ("challenger", "champion", "reference"))
    assert new is not None
    if old and reference and _same_file(old, reference):
        reference = old
    unseen = exclude_seen(
        select_test_rows(table, *candidates.values()),
        groups,
        models=len({id(one) for one in (new, old, reference) if one}),
        total=len(select_test_rows(table, new)),
    )
    results, metrics = [check_unseen_instances(unseen, profile.gate)], None
    if results[0].passed:
        evidence = measure(root, profile, unseen, new, old, reference)
        results, metrics = run_checks(evidence, profile.gate), evidence.as_metrics()
    return GateDecision(
        promote=all(result.passed for result in results),
        checks=results,
        reason=_one_line(summarise(results)),
        warnings=describe_unknown(groups),
        metrics=metrics,
    )


def _same_file(one: Candidate, other: Candidate) -> bool:
    return one.path.read_bytes() == other.path.read_bytes()


def _one_line(text: str) -> str:
    return " ".join(text.split())
