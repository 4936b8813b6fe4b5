"""Evidence and limits in, checks with their figures out."""

from dataclasses import dataclass

from splitpose.promotion.differences import Difference
from splitpose.promotion.measurements import Evidence, Figures
from splitpose.settings import Gate

SHORTEST_MS = 0.001
"""A latency below what is told counts as this, so that it can be divided by."""


@dataclass(frozen=True)
class Check:
    """One rule: whether it is kept, its figure and limit (None where it has none), and both in words."""

    name: str
    passed: bool
    figure: float | None
    limit: float | None
    text: str


def checks_of(evidence: Evidence, gate: Gate) -> list[Check]:
    """Every rule of the gate, the champion's rules only where there is one. Nothing is read or measured here.

    Figures are rounded first, so that the verdict is that of what is shown; a figure that is no number fails.
    """
    challenger, champion = evidence.challenger, evidence.champion
    shared = [
        _parity(evidence, gate),
        _at_most("p95_ms", challenger.p95_ms, gate.max_p95_ms, f"p95 latency of {challenger.p95_ms} ms"),
        _at_most("bytes", challenger.bytes, gate.max_bytes, f"{challenger.bytes} bytes"),
        _data(evidence),
    ]
    if champion is None:
        return [_above_mean_pose(evidence, gate), *shared]
    return [
        _pck(evidence, champion, gate),
        _slices(evidence.slices, gate),
        *_ratios(evidence, champion, gate),
        *shared,
    ]


def reason_of(checks: list[Check]) -> str:
    """One line: which checks failed and by what figures, or that none did and what was gained."""
    failed = [check for check in checks if not check.passed]
    if failed:
        names = ", ".join(check.name for check in failed)
        return f"{len(failed)} of {len(checks)} checks failed, {names}: {'; '.join(check.text for check in failed)}"
    return f"all {len(checks)} checks passed: {checks[0].text}"


def _pck(evidence: Evidence, champion: Figures, gate: Gate) -> Check:
    found = evidence.difference
    passed = not found.is_a_loss and found.points >= -gate.max_loss
    text = _against(evidence, f"the champion's {champion.pck}")
    return Check("pck", passed, found.points, -gate.max_loss, text)


def _above_mean_pose(evidence: Evidence, gate: Gate) -> Check:
    points, limit = evidence.difference.points, gate.min_above_mean_pose
    text = _against(evidence, f"{evidence.mean_pose} of their mean pose")
    return Check("above_mean_pose", points >= limit, points, limit, text)


def _slices(slices: list[Difference], gate: Gate) -> Check:
    limit = -gate.max_slice_loss
    if not slices:
        return Check("slices", True, None, limit, "no slice has enough people")
    worse = [one for one in slices if one.points < limit and one.is_a_loss]
    lowest = min(worse or slices, key=lambda one: one.points)
    text = (
        f"{len(worse) or 'none'} of {len(slices)} slices lost more than {gate.max_slice_loss:g} points, told from "
        f"chance; lowest: {lowest.name} ({lowest.people} people), {_points(lowest)}"
    )
    return Check("slices", not worse, lowest.points, limit, text)


def _ratios(evidence: Evidence, champion: Figures, gate: Gate) -> list[Check]:
    challenger = evidence.challenger
    slower = round(max(challenger.p95_ms, SHORTEST_MS) / max(champion.p95_ms, SHORTEST_MS), 3)
    larger = round(challenger.bytes / champion.bytes, 3)
    times = f"p95 latency of {challenger.p95_ms} ms against {champion.p95_ms} ms on {evidence.target}"
    sizes = f"{challenger.bytes} bytes against {champion.bytes}"
    return [
        _at_most("p95_ratio", slower, gate.max_p95_ratio, f"{times}, {slower} times as much"),
        _at_most("size_ratio", larger, gate.max_size_ratio, f"{sizes}, {larger} times as many"),
    ]


def _parity(evidence: Evidence, gate: Gate) -> Check:
    file, keras = evidence.parity.file, evidence.parity.keras
    text = f"the file's mean PCK@0.2 is {file}, that of its Keras model {keras}"
    return _at_most("parity", round(keras - file, 3), gate.max_parity_loss, text)


def _data(evidence: Evidence) -> Check:
    text = "; ".join(evidence.data_failures) or "the annotations passed their checks"
    return Check("data", not evidence.data_failures, None, None, text)


def _at_most(name: str, figure: float, limit: float | None, text: str) -> Check:
    passed = limit is None or figure <= limit
    return Check(name, passed, figure, limit, text if limit is None else f"{text}, allowed {limit}")


def _against(evidence: Evidence, other: str) -> str:
    return (
        f"mean PCK@0.2 of {evidence.challenger.pck} against {other} on {evidence.people} test people, "
        f"{_points(evidence.difference)}"
    )


def _points(found: Difference) -> str:
    interval = "no interval" if found.interval is None else "{:+g} to {:+g}".format(*found.interval)
    return f"{found.points:+g} points ({interval})"
