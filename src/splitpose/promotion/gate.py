"""The gate: whether a challenger may replace the champion, and why."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from splitpose import annotations, paths
from splitpose.errors import InputError
from splitpose.promotion import candidate
from splitpose.promotion.candidate import Candidate
from splitpose.promotion.checks import CheckResult, run_checks, summarise
from splitpose.promotion.measurements import measure, select_test_rows
from splitpose.settings import Profile


@dataclass(frozen=True)
class GateDecision:
    """Whether the challenger replaces the champion, the results of the checks, and the reason in one line."""

    promote: bool
    checks: list[CheckResult]
    reason: str


def evaluate(
    root: Path, profile: Profile, challenger: Path, champion: Path | None, champion_error: str | None = None
) -> GateDecision:
    """Compare a TFLite file with the champion's by the profile's `gate`.

    Both files are scored on the present test instances, each with crops as its own metadata specifies, and timed
    alternately on the profile's target. A champion that was built for an earlier test set or another input size can
    therefore be compared. A champion that cannot be compared does not block the challenger, which is then
    checked like a first model; the reason states this.

    Args:
        root: the project, with the annotation table, its images and the results of the stages.
        profile: settings.
        challenger: a TFLite file with metadata, which the stage convert has written.
        champion: the champion's TFLite file, None if there is none or if it is not available.
        champion_error: why the champion's file is not available, None if there is no champion.

    Raises:
        InputError: anything but the champion is missing, damaged or not available.
    """
    table = annotations.read(root / paths.ANNOTATION_TABLE)
    new = candidate.load(challenger)
    rows = select_test_rows(table, new)
    old = None
    if champion:
        old, champion_error = _load_champion(champion, new, table)
    if old:
        if old.path.read_bytes() == new.path.read_bytes():
            return GateDecision(False, [], "the challenger is the same file as the champion")
        rows = select_test_rows(table, new, old)
    results = run_checks(measure(root, profile, rows, new, old), profile.gate)
    reason = " ".join(f"{_preamble(old, champion_error)}{summarise(results)}".split())
    return GateDecision(all(result.passed for result in results), results, reason)


def _load_champion(path: Path, challenger: Candidate, table: pd.DataFrame) -> tuple[Candidate | None, str | None]:
    """Return the champion, or the reason why it cannot be compared with the challenger."""
    try:
        champion = candidate.load(path)
        if champion.metadata.viewpoint != challenger.metadata.viewpoint:
            raise InputError(f"its left and right are the {champion.metadata.viewpoint}'s")
        select_test_rows(table, challenger, champion)
    except InputError as error:
        return None, str(error).replace(str(path), "its file")
    return champion, None


def _preamble(champion: Candidate | None, champion_error: str | None) -> str:
    """Return the beginning of the reason if there is no champion to compare with."""
    if champion:
        return ""
    return (
        f"the champion cannot be compared ({champion_error}); " if champion_error else "there is no champion yet; "
    )
