"""Tables of the analyses: paired differences, slices, decodings, robustness and annotator agreement."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from splitpose.report.document import Table
from splitpose.report.formatting import MISSING, format_number, format_score, format_with_interval

THRESHOLD = "0.2"


def differences_table(differences: Sequence[Mapping[str, Any]], data: str, threshold: str = THRESHOLD) -> Table:
    """Return one row per pair of variants: the difference of the first from the second.

    Args:
        differences: content of paired_differences.json.
        data: description of the data (see `tables.describe_data`) for the title, as in all functions below.
        threshold: PCK threshold.
    """
    groups = ("mean", "elbow", "wrist")
    rows = [
        (
            f"{pair['variant']} vs {pair['reference']}",
            *(_format_difference(pair["pck"][threshold][group]) for group in groups),
        )
        for pair in differences
    ]
    return Table(
        title=f"Paired differences of PCK@{threshold} ({data})",
        headers=("variants", *groups),
        rows=tuple(rows),
        note="Difference in percentage points on the same people, with its 95 % interval. A variant is called "
        "better or worse if the interval excludes zero; on average, this is the case by chance for one of "
        f"twenty pairs of equally good variants. {_describe_coverage(differences)}",
    )


def _describe_coverage(differences: Sequence[Mapping[str, Any]]) -> str:
    """Describe whether the intervals cover the variation between seeds."""
    covered = {pair["seeds_covered"] for pair in differences}
    if covered == {True}:
        return "The intervals cover people and seeds; scores are means over the seeds."
    if covered == {False, True}:
        return "The intervals cover people and, if both variants have several seeds, seeds."
    return "The intervals cover people, but not the variation between seeds."


def _format_difference(difference: Mapping[str, Any] | None) -> str:
    if difference is None:
        return MISSING
    number, _, interval = format_with_interval(difference["difference"], difference["ci95"], signed=True).partition(
        "\n"
    )
    return f"{number} {difference['outcome']}\n{interval}"


def slices_table(slices: Mapping[str, Sequence[Mapping[str, Any]]], data: str, threshold: str = THRESHOLD) -> Table:
    """Return one row per slice and one column per variant, from the content of slices.json."""
    rows, notes = [], dict[str, None]()
    for entries in zip(*slices.values(), strict=True):
        first = entries[0]
        rows.append((f"{first['slice']}: {first['value']}", str(first["n"]), *map(_format_slice, entries)))
        notes |= dict.fromkeys(f" {MISSING}: {entry['note']}." for entry in entries if entry["note"])
    return Table(
        title=f"Mean PCK@{threshold} by slice ({data})",
        headers=("slice", "people", *slices),
        rows=tuple(rows),
        note="With 95 % intervals over the people of the slice. Slices are defined by the annotations, not by the "
        "predictions. With this many slices, a single low one may be chance." + "".join(notes),
    )


def _format_slice(entry: Mapping[str, Any]) -> str:
    if entry["pck"] is None:
        return MISSING
    return format_with_interval(entry["pck"]["mean"], entry["ci95"] and entry["ci95"]["mean"])


def decodings_table(
    decodings: Mapping[str, Sequence[Mapping[str, Any]]], latencies: Mapping[str, float | None], data: str
) -> Table:
    """Return one row per variant and decoding.

    Args:
        decodings: content of each variant's decodings JSON.
        latencies: p50 ms of each variant's float32 file.
        data: description of the data.
    """
    thresholds = sorted(next(iter(decodings.values()))[0]["pck"], key=float, reverse=True)
    rows = []
    for variant, entries in decodings.items():
        latency = latencies[variant]
        for entry in entries:
            rows.append(
                (
                    f"{variant}: {entry['name']}{' (headline)' if entry['headline'] else ''}",
                    format_score(entry, THRESHOLD, "mean"),
                    *(_format_gain(entry["gain"].get(threshold)) for threshold in thresholds),
                    format_number(None if latency is None else latency * entry["forward_passes"], 2),
                )
            )
    return Table(
        title=f"Decodings of the same outputs ({data})",
        headers=("decoding", f"PCK@{THRESHOLD}", *(f"gain @{threshold}" for threshold in thresholds), "ms"),
        rows=tuple(rows),
        note="All other tables use the headline decoding. Gains over it are in percentage points on the same "
        "people. ms: p50 latency of the float32 file, doubled for the flip test, which runs the model on the "
        "flipped crop too; decoding itself is not included.",
    )


def _format_gain(gain: Mapping[str, Any] | None) -> str:
    if gain is None:
        return MISSING
    return format_with_interval(gain["mean"]["difference"], gain["mean"]["ci95"], signed=True)


def robustness_table(robustness: Mapping[str, Mapping[str, Any]], data: str) -> Table:
    """Return one row per variant and one column per robustness test, from each variant's robustness JSON."""
    rows = [
        (
            name,
            *(
                f"{describe(results[test])}\n{'passed' if results[test]['passed'] else 'FAILED'}"
                for test, describe in DESCRIPTIONS.items()
            ),
        )
        for name, results in robustness.items()
    ]
    first = next(iter(robustness.values()))
    tests_by_criterion: dict[str, list[str]] = {}
    for test in DESCRIPTIONS:
        tests_by_criterion.setdefault(first[test]["criterion"], []).append(test.replace("_", " "))
    criteria = "; ".join(f"{', '.join(tests)}: {criterion}" for criterion, tests in tests_by_criterion.items())
    return Table(
        title=f"Robustness to modified crops ({data})",
        headers=("variant", *(test.replace("_", " ") for test in DESCRIPTIONS)),
        rows=tuple(rows),
        note="Flip equivariance: median distance between the joints of the crop and those of the flipped crop, "
        "flipped back (torso diameters). Shift equivariance: median share of the largest shift that the joints "
        "follow. Darkening, blur: PCK@0.2 from the unchanged crop to the strongest change. "
        f"Criteria: {criteria}.",
    )


DESCRIPTIONS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "flip_equivariance": lambda test: format_number(test["median"], 3),
    "shift_equivariance": lambda test: format_number(list(test["steps"].values())[-1]["shift_ratio"], 2),
    "darkening": lambda test: " → ".join(format_number(value, 0) for value in test["pck_0.2"].values()),
    "blur": lambda test: " → ".join(format_number(value, 0) for value in test["pck_0.2"].values()),
}
"""Formats the result of each robustness test."""


def agreement_table(agreement: Mapping[str, Mapping[str, Any]], data: str) -> Table | None:
    """Return one row per split and threshold of the annotator agreement; None if no person is annotated twice."""
    rows = []
    for split, metrics in agreement.items():
        for threshold in sorted(metrics["pck"], key=float, reverse=True):
            scores = [
                format_score(metrics, threshold, group) for group in ("mean", "elbow", "wrist", "lhip", "rhip")
            ]
            rows.append((split, str(metrics["pairs"]), f"@{threshold}", *scores))
    if not rows:
        return None
    return Table(
        title=f"Annotator agreement ({data})",
        headers=("split", "pairs", "PCK", "mean", "elbow", "wrist", "lhip", "rhip"),
        rows=tuple(rows),
        note="PCK in percent of one annotation of a person against another annotation of the same person, the mean "
        "of both directions, with its 95 % interval over images. It bounds what any model can usefully reach.",
    )
