"""The rules of the gate: evidence and limits in, check results out. Nothing is read or measured here."""

from dataclasses import dataclass

from splitpose.promotion.differences import Difference
from splitpose.promotion.measurements import Evidence, Metrics, ReferenceResult
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

    Values are rounded first, so that the result agrees with the displayed numbers; NaN fails.
    """
    challenger, champion = evidence.challenger, evidence.champion
    absolute = [
        _parity(evidence, gate),
        _at_most("p95_ms", challenger.p95_ms, gate.max_p95_ms, f"p95 latency of {challenger.p95_ms} ms"),
        _at_most("bytes", challenger.bytes, gate.max_bytes, f"{challenger.bytes} bytes"),
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
        *_ratios(evidence, champion, gate),
        *absolute,
    ]


def summarise(results: list[CheckResult]) -> str:
    """Return one line: the failed checks with their values, or that all passed and the gain."""
    failed = [result for result in results if not result.passed]
    if failed:
        names = ", ".join(result.name for result in failed)
        details = "; ".join(result.text for result in failed)
        return f"{len(failed)} of {len(results)} checks failed, {names}: {details}"
    return f"all {len(results)} checks passed: {results[0].text}"


def check_unseen_instances(unseen: UnseenInstances, gate: Gate) -> CheckResult:
    """Check that enough test instances are left that no compared model was trained on."""
    count, limit = len(unseen.rows), gate.min_instances
    text = f"{unseen.description}; at least {limit} are required"
    return CheckResult("unseen_instances", count >= limit, count, limit, text)


def _pck(evidence: Evidence, champion: Metrics, gate: Gate) -> CheckResult:
    difference = evidence.difference
    text = _comparison(evidence, f"the champion's {champion.pck}", difference)
    return CheckResult("pck", is_acceptable(difference, gate), difference.points, -gate.max_loss, text)


def _reference(evidence: Evidence, reference: ReferenceResult, gate: Gate) -> CheckResult:
    difference = reference.difference
    text = _comparison(evidence, f"the reference's {reference.pck}", difference)
    return CheckResult("reference", is_acceptable(difference, gate), difference.points, -gate.max_loss, text)


def is_acceptable(difference: Difference, gate: Gate) -> bool:
    """Return whether a loss is neither significant nor larger than `max_loss`."""
    return not difference.is_significant_loss and difference.points >= -gate.max_loss


def _above_mean_pose(evidence: Evidence, gate: Gate) -> CheckResult:
    points, limit = evidence.difference.points, gate.min_above_mean_pose
    text = _comparison(evidence, f"the mean pose's {evidence.mean_pose}", evidence.difference)
    return CheckResult("above_mean_pose", points >= limit, points, limit, text)


def _slices(slices: list[Difference], gate: Gate) -> CheckResult:
    limit = -gate.max_slice_loss
    if not slices:
        return CheckResult("slices", True, None, limit, "no slice has enough instances")
    failed = [part for part in slices if part.points < limit and part.is_significant_loss]
    lowest = min(failed or slices, key=lambda part: part.points)
    text = (
        f"{len(failed) or 'none'} of {len(slices)} slices lost significantly more than {gate.max_slice_loss:g} "
        f"points; lowest: {lowest.name} ({lowest.instances} instances), {_points(lowest)}"
    )
    return CheckResult("slices", not failed, lowest.points, limit, text)


def _ratios(evidence: Evidence, champion: Metrics, gate: Gate) -> list[CheckResult]:
    challenger = evidence.challenger
    latency_ratio = round(max(challenger.p95_ms, MIN_MS) / max(champion.p95_ms, MIN_MS), 3)
    size_ratio = round(challenger.bytes / champion.bytes, 3)
    latencies = f"p95 latency of {challenger.p95_ms} ms against {champion.p95_ms} ms on {evidence.target}"
    sizes = f"{challenger.bytes} bytes against {champion.bytes}"
    return [
        _at_most("p95_ratio", latency_ratio, gate.max_p95_ratio, f"{latencies}, ratio {latency_ratio}"),
        _at_most("size_ratio", size_ratio, gate.max_size_ratio, f"{sizes}, ratio {size_ratio}"),
    ]


def _parity(evidence: Evidence, gate: Gate) -> CheckResult:
    tflite, keras = evidence.parity.tflite, evidence.parity.keras
    text = f"mean PCK@0.2 of the TFLite file is {tflite}, that of its Keras model {keras}"
    return _at_most("parity", round(keras - tflite, 3), gate.max_parity_loss, text)


def _data(evidence: Evidence) -> CheckResult:
    text = "; ".join(evidence.data_failures) or "the annotations passed validation"
    return CheckResult("data", not evidence.data_failures, None, None, text)


def _at_most(name: str, value: float, limit: float | None, text: str) -> CheckResult:
    passed = limit is None or value <= limit
    return CheckResult(name, passed, value, limit, text if limit is None else f"{text}, limit {limit}")


def _comparison(evidence: Evidence, other: str, difference: Difference) -> str:
    return (
        f"mean PCK@0.2 of {evidence.challenger.pck} against {other} on {len(evidence.unseen.rows)} test instances, "
        f"{_points(difference)}"
    )


def _points(difference: Difference) -> str:
    interval = "no interval" if difference.interval is None else "{:+g} to {:+g}".format(*difference.interval)
    return f"{difference.points:+g} points ({interval})"
