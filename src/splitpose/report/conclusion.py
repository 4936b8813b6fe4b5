"""The report's conclusion: the recommended variant, its advantage over the others, and the data."""

from collections.abc import Mapping
from typing import Any

from splitpose.report import seeds
from splitpose.report.formatting import format_megabytes, format_millions, format_number, join_words
from splitpose.report.inputs import ReportInputs
from splitpose.report.tables import is_synthetic

NO_SCORES = "No variant can be recommended: no test instance is scored."


def write_conclusion(inputs: ReportInputs) -> str:
    """Return the conclusion: one sentence, and a second one if the variation between seeds is not covered."""
    recommendation = inputs.recommendation
    if recommendation is None:
        return NO_SCORES
    people = describe_test_people(recommendation["n"], inputs.comparison)
    if not exceeds_mean_pose(inputs):
        best = recommendation["most_accurate"]
        highest = inputs.comparison["variants"][best]["pck"]["0.2"]["mean"]
        return (
            f"Do not use any variant yet: on {people} the highest mean PCK@0.2, {highest:.1f} of {best}, does not "
            f"exceed that of the mean pose, which ignores the image ({inputs.mean_pose_pck:.1f})."
        )
    variant = recommendation["variant"]
    count = seeds.count_seeds(inputs.comparison["variants"][variant])
    over = f" over {count} seeds" if count > 1 else ""
    score = f"on {people} its mean PCK@0.2{over} is {recommendation['pck']:.1f}"
    sentence = f"Use {variant}: {score}{_compare(recommendation, inputs.comparison)}."
    return f"{sentence} {seeds.describe_missing(inputs.comparison)}".rstrip()


def exceeds_mean_pose(inputs: ReportInputs) -> bool:
    """Return whether the most accurate variant is better than the mean pose, that is, has learned from images."""
    if inputs.recommendation is None:
        return False
    best = inputs.comparison["variants"][inputs.recommendation["most_accurate"]]
    return bool(best["pck"]["0.2"]["mean"] > inputs.mean_pose_pck)


def describe_file(inputs: ReportInputs) -> str | None:
    """Return size and latency of the recommended variant's float32 file, and its repeat, if there is one."""
    if inputs.recommendation is None or not exceeds_mean_pose(inputs):
        return None
    variant = inputs.recommendation["variant"]
    entry = inputs.comparison["variants"][variant]
    file = entry["tflite"]["float32"]
    repeat = ""
    if seeds.count_seeds(entry) > 1:
        repeat = (
            f" It is that of repeat {entry['seeds']['exported']}, the best on the validation people, and has a "
            f"PCK@0.2 of {format_number(file['pck_0.2_mean'], 1)}."
        )
    return (
        f"The float32 TFLite file of {variant} has {format_megabytes(file['bytes'])} MB and takes "
        f"{format_number(file['p50_ms'], 2)} ms per image (p50).{repeat}"
    )


def describe_test_people(n: int, comparison: Mapping[str, Any]) -> str:
    """Return the number and kind of test people, e.g. "397 synthetic test people"."""
    if is_synthetic(comparison):
        return f"{n} synthetic test people"
    return f"the {n} test people of profile {comparison['profile']}"


def _compare(recommendation: Mapping[str, Any], comparison: Mapping[str, Any]) -> str:
    """Return the continuation of the sentence that compares the recommended variant with the others."""
    other = recommendation["compared_with"]
    if other is None:
        return f"{_format_interval(recommendation)}; there is no other variant to compare it with"
    if recommendation["variant"] != recommendation["most_accurate"]:
        return _explain_smaller(recommendation, comparison)
    if recommendation["not_distinguishable"]:
        return _explain_tie(recommendation)
    return f", {other['difference']:.1f} points above {other['variant']}, the next best{_format_interval(other)}"


def _explain_tie(recommendation: Mapping[str, Any]) -> str:
    """Explain a recommendation that is the most accurate, not distinguishable from others, and the smallest."""
    other, tied = recommendation["compared_with"], recommendation["not_distinguishable"]
    lead = f"only {other['difference']:.1f} points above {other['variant']}{_format_interval(other)}"
    if len(tied) == 1:
        return f", the highest but {lead}, which is not distinguishable from it and has no fewer parameters"
    return (
        f", the highest but {lead}; {join_words(tied)} are not distinguishable from it and have no fewer parameters"
    )


def _explain_smaller(recommendation: Mapping[str, Any], comparison: Mapping[str, Any]) -> str:
    """Explain the recommendation of a smaller variant that is not distinguishable from the most accurate one."""
    variant, best = recommendation["variant"], recommendation["most_accurate"]
    parameters = {name: format_millions(entry["parameters"]) for name, entry in comparison["variants"].items()}
    difference = recommendation["compared_with"]
    count = len(recommendation["not_distinguishable"]) + 1
    rank = "smaller of the two" if count == 2 else f"smallest of the {count} variants that are not distinguishable"
    return (
        f", not distinguishable from {best}, the highest (difference {difference['difference']:+.1f} points"
        f"{_format_interval(difference, separator=', ')}), and it is the {rank} ({parameters[variant]} M "
        f"parameters, {best} {parameters[best]} M)"
    )


def _format_interval(value: Mapping[str, Any], separator: str = "") -> str:
    """Format the interval of a score or a difference in parentheses or, with a separator, without them."""
    if value["ci95"] is None:
        text = "no interval, because all test people are in one bootstrap cluster"
    else:
        low, high = value["ci95"]
        text = f"95 % interval {seeds.BOTH if value['seeds_covered'] else seeds.PEOPLE}: {low:.1f} to {high:.1f}"
    return f"{separator}{text}" if separator else f" ({text})"
