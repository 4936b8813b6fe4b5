"""The rules of the gate: evidence and limits in, check results out. Nothing is read or measured here."""

from dataclasses import dataclass

from splitpose.promotion.differences import Difference
from splitpose.promotion.measurements import Evidence, Metrics, Parity, ReferenceResult
from splitpose.promotion.unseen_instances import UnseenInstances
from splitpose.settings import Gate

MIN_MS = 0.001
"""The resolution of latencies in ms; lower ones are replaced by it, so that their ratio is defined."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one rule: its value and limit (None if there is none), and a sentence with both."""

    name: str
    passed: bool
    value: float | None
    limit: float | None
    text: str


def run_checks(evidence: Evidence, gate: Gate) -> list[CheckResult]:
    """Check every rule of the gate; without a champion, the mean pose takes its place.

    Values are rounded first, so that the result agrees with the displayed numbers; NaN fails. The first result
    decides a promotion, the first failed one a rejection.
    """
    champion = evidence.champion
    absolute = [
        _parity(evidence.parity, gate),
        _p95_ms(evidence, gate),
        _bytes(evidence.challenger, gate),
        _data(evidence),
        check_unseen_instances(evidence.unseen, gate),
    ]
    reference = [_reference(evidence, evidence.reference, gate)] if evidence.reference else []
    if champion is None:
        return [_above_mean_pose(evidence, gate), *reference, *absolute]
    return [
        _pck(evidence, champion, gate),
        *reference,
        _slices(evidence.slices, gate),
        _p95_ratio(evidence, champion, gate),
        _size_ratio(evidence.challenger, champion, gate),
        *absolute,
    ]


def summarise(results: list[CheckResult]) -> str:
    """Return one line: the deciding check with its values, and which other checks failed or how many passed."""
    failed = [result for result in results if not result.passed]
    if not failed:
        return f"all {len(results)} checks passed; deciding check {results[0].name}: {results[0].text}"
    deciding, *others = failed
    text = f"the check {deciding.name} failed: {deciding.text}"
    if not others:
        return text
    *first, last = [result.name for result in others]
    names = f"{', '.join(first)} and {last}" if first else last
    return f"{text}; the check{'s' if first else ''} {names} failed, too"


def check_unseen_instances(unseen: UnseenInstances, gate: Gate) -> CheckResult:
    """Check that enough test instances are left that no compared model was trained on."""
    count, limit = len(unseen.rows), gate.min_instances
    return CheckResult(
        "unseen_instances",
        count >= limit,
        count,
        limit,
        f"{unseen.description}; at least {limit} are required",
    )


def _pck(evidence: Evidence, champion: Metrics, gate: Gate) -> CheckResult:
    return _loss("pck", evidence, f"the champion's {champion.pck:.1f}", evidence.difference, gate)


def _reference(evidence: Evidence, reference: ReferenceResult, gate: Gate) -> CheckResult:
    return _loss("reference", evidence, f"the reference's {reference.pck:.1f}", reference.difference, gate)


def _loss(name: str, evidence: Evidence, other: str, difference: Difference, gate: Gate) -> CheckResult:
    limit = -gate.max_loss
    if difference.points < limit:
        rule = f"at most {gate.max_loss:g} points lower is allowed"
    elif difference.is_significant_loss:
        rule = "the loss is significant, and no significant loss is allowed"
    elif difference.points < 0:
        rule = f"up to {gate.max_loss:g} points lower is allowed if the loss is not significant"
    else:
        rule = ""
    text = "; ".join(filter(None, (_comparison(evidence, other, difference, limit), rule)))
    return CheckResult(name, is_acceptable(difference, gate), difference.points, limit, text)


def is_acceptable(difference: Difference, gate: Gate) -> bool:
    """Return whether a loss is neither significant nor larger than `max_loss`."""
    return not difference.is_significant_loss and difference.points >= -gate.max_loss


def _above_mean_pose(evidence: Evidence, gate: Gate) -> CheckResult:
    points, limit = evidence.difference.points, gate.min_above_mean_pose
    comparison = _comparison(evidence, f"the mean pose's {evidence.mean_pose:.1f}", evidence.difference, limit)
    text = f"{comparison}; at least {limit:g} points higher is required"
    return CheckResult("above_mean_pose", points >= limit, points, limit, text)


def _slices(slices: list[Difference], gate: Gate) -> CheckResult:
    limit = -gate.max_slice_loss
    if not slices:
        return CheckResult("slices", True, None, limit, "no slice of the test instances is large enough to compare")
    failed = [part for part in slices if part.points < limit and part.is_significant_loss]
    lowest = min(failed or slices, key=lambda part: part.points)
    text = (
        f"{len(failed) or 'none'} of {len(slices)} slices lost significantly more than {gate.max_slice_loss:g} "
        f"points of mean PCK@0.2; the worst is {lowest.name} ({lowest.instances} instances), "
        f"{_points(lowest, limit, 'interval corrected for the number of slices')}"
    )
    return CheckResult("slices", not failed, lowest.points, limit, text)


def _p95_ratio(evidence: Evidence, champion: Metrics, gate: Gate) -> CheckResult:
    new, old = evidence.challenger.p95_ms, champion.p95_ms
    ratio = round(max(new, MIN_MS) / max(old, MIN_MS), 3)
    text = f"p95 latency on the target {evidence.target} is {new:g} ms, {ratio:g} times the champion's {old:g} ms"
    return _at_most("p95_ratio", ratio, gate.max_p95_ratio, text, " times")


def _size_ratio(challenger: Metrics, champion: Metrics, gate: Gate) -> CheckResult:
    ratio = round(challenger.bytes / champion.bytes, 3)
    text = f"the file has {challenger.bytes:,} bytes, {ratio:g} times the champion's {champion.bytes:,}"
    return _at_most("size_ratio", ratio, gate.max_size_ratio, text, " times")


def _parity(parity: Parity, gate: Gate) -> CheckResult:
    loss = round(parity.keras - parity.tflite, 3)
    text = (
        f"mean PCK@0.2 on all {parity.test_instances} test instances is {parity.tflite:.1f} for the TFLite file "
        f"and {parity.keras:.1f} for its Keras model: {_lower_or_higher(-loss, gate.max_parity_loss)}"
    )
    return _at_most("parity", loss, gate.max_parity_loss, text, " points lower")


def _p95_ms(evidence: Evidence, gate: Gate) -> CheckResult:
    value = evidence.challenger.p95_ms
    return _at_most(
        "p95_ms", value, gate.max_p95_ms, f"p95 latency on the target {evidence.target} is {value:g} ms", " ms"
    )


def _bytes(challenger: Metrics, gate: Gate) -> CheckResult:
    return _at_most("bytes", challenger.bytes, gate.max_bytes, f"the file has {challenger.bytes:,} bytes", " bytes")


def _data(evidence: Evidence) -> CheckResult:
    failures = "; ".join(evidence.data_failures)
    text = f"the annotations failed validation: {failures}" if failures else "the annotations passed validation"
    return CheckResult("data", not evidence.data_failures, None, None, text)


def _at_most(name: str, value: float, limit: float | None, text: str, unit: str) -> CheckResult:
    """Return a result that passes up to the limit; the text receives the limit with its unit."""
    allowed = "there is no limit" if limit is None else f"at most {limit:,.10g}{unit} is allowed"
    return CheckResult(name, limit is None or value <= limit, value, limit, f"{text}; {allowed}")


def _comparison(evidence: Evidence, other: str, difference: Difference, limit: float) -> str:
    return (
        f"mean PCK@0.2 on {evidence.unseen.label} is {evidence.challenger.pck:.1f} against {other}: "
        f"{_points(difference, limit)}"
    )


def _points(difference: Difference, limit: float, interval_name: str = "95 % interval") -> str:
    text = _lower_or_higher(difference.points, limit)
    if difference.interval is None:
        return f"{text} (without an interval: all instances are in one bootstrap cluster)"
    low, high = (_rounded(bound, 0, sign="+") for bound in difference.interval)
    return f"{text} ({interval_name} {low} to {high})"


def _lower_or_higher(points: float, limit: float) -> str:
    """Return a difference in words, e.g. "0.4 points lower"."""
    if points == 0:
        return "no difference"
    return f"{_rounded(abs(points), abs(limit))} points {'lower' if points < 0 else 'higher'}"


def _rounded(value: float, limit: float, sign: str = "") -> str:
    """Return a value with one decimal, or with all if it is so close to the limit or to zero that they matter."""
    is_close = any(0 < abs(value - other) < 0.05 for other in (limit, 0))
    return f"{value:{sign}g}" if is_close else f"{value:{sign}.1f}"
