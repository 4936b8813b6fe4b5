"""The gate as a whole: two files in, one word and its reasons out."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from splitpose import annotations
from splitpose.errors import InputError
from splitpose.promotion import candidate, measurements
from splitpose.promotion.candidate import Candidate
from splitpose.promotion.checks import Check, checks_of, reason_of
from splitpose.settings import Profile

DATA = Path("data")
TABLE = DATA / "annotations" / "annotations.parquet"


@dataclass(frozen=True)
class GateDecision:
    """Whether the challenger takes the champion's place, by which checks, and why in one line."""

    promote: bool
    checks: list[Check]
    reason: str


def judge(
    profile: Profile,
    root: Path,
    challenger: Path,
    champion: Path | None,
    parity: Path,
    checks: Path,
    unreadable: str | None = None,
) -> GateDecision:
    """Judge a TFLite file against the champion's by the profile's `gate`.

    Both are scored on today's test people, each with crops as its own card says, and timed in turn on the profile's
    target. So a champion of other test people or another input size needs nothing done before. A champion that
    cannot be compared is no obstacle: the challenger is judged as the first, and the reason says so.

    Args:
        profile: settings.
        root: the project; data/annotations/annotations.parquet and the pictures of its test people are read there.
        challenger, champion: TFLite files with cards; None where there is no champion, or none that can be read.
        parity: the convert stage's JSON of the challenger's variant.
        checks: the validate stage's JSON.
        unreadable: why there is no file of the champion though there is a champion.

    Raises InputError, in one line, where something else than the champion is missing, damaged or out of reach.
    """
    table = annotations.read(root / TABLE)
    new = candidate.load(challenger)
    rows = measurements.test_rows(table, new)
    old = None
    if champion:
        old, unreadable = _comparable(champion, new, table)
    if old:
        if old.path.read_bytes() == new.path.read_bytes():
            return GateDecision(False, [], "the challenger is the champion's own file")
        rows = measurements.test_rows(table, new, old)
    found = checks_of(measurements.gather(profile, root / DATA, rows, new, old, parity, checks), profile.gate)
    reason = " ".join(f"{_standing(old, unreadable)}{reason_of(found)}".split())
    return GateDecision(all(check.passed for check in found), found, reason)


def _comparable(path: Path, challenger: Candidate, table: pd.DataFrame) -> tuple[Candidate | None, str | None]:
    """The champion, or why it cannot be held against the challenger."""
    try:
        champion = candidate.load(path)
        if champion.card.viewpoint != challenger.card.viewpoint:
            raise InputError(f"its left and right are the {champion.card.viewpoint}'s")
        measurements.test_rows(table, challenger, champion)
    except InputError as error:
        return None, str(error).replace(str(path), "its file")
    return champion, None


def _standing(champion: Candidate | None, unreadable: str | None) -> str:
    """What goes before the reason where there is no champion."""
    if champion:
        return ""
    return f"the champion cannot be compared ({unreadable}); " if unreadable else "there is no champion yet; "
