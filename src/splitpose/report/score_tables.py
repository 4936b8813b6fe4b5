"""Tables of what lies behind the headline: differences, parts of the people, other readings, behaviour, ceiling."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from splitpose.report.document import Table
from splitpose.report.formatting import MISSING, number, score, with_interval

THRESHOLD = "0.2"


def differences(found: Sequence[Mapping[str, Any]], people: str, threshold: str = THRESHOLD) -> Table:
    """Every two variants, of `scoring.paired`: by how much the first is better or worse."""
    groups = ("mean", "elbow", "wrist")
    rows = [
        (
            f"{one['variant']} against {one['against']}",
            *[_difference(one["pck"][threshold][group]) for group in groups],
        )
        for one in found
    ]
    return Table(
        title=f"Which is better, PCK@{threshold} ({people})",
        headers=("variants", *groups),
        rows=tuple(rows),
        note="Difference in points of percent on the same people, with its 95 % interval. Better or worse is said "
        "where the interval excludes zero, and nothing more: of twenty such comparisons of equal variants, one "
        "would do so by chance. Another training of a variant moves its figures too; that is not in the intervals.",
    )


def _difference(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return MISSING
    figure, _, interval = with_interval(found["difference"], found["ci95"], signed=True).partition("\n")
    return f"{figure} {found['verdict']}\n{interval}"


def slices(found: Mapping[str, Sequence[Mapping[str, Any]]], people: str, threshold: str = THRESHOLD) -> Table:
    """One row a part of the people, one column a variant; `found` has what `scoring.slices` gives for each."""
    rows, notes = [], dict[str, None]()
    for of_all in zip(*found.values(), strict=True):
        first = of_all[0]
        rows.append((f"{first['slice']}: {first['value']}", str(first["n"]), *map(_of_part, of_all)))
        notes |= dict.fromkeys(f" {MISSING}: {one['note']}." for one in of_all if one["note"])
    return Table(
        title=f"Parts of the people, mean PCK@{threshold} ({people})",
        headers=("part", "people", *found),
        rows=tuple(rows),
        note="With 95 % intervals over the people of the part. What tells the parts apart is in the annotations, "
        "not in the predictions. Many parts are looked at: a single low one may be chance." + "".join(notes),
    )


def _of_part(found: Mapping[str, Any]) -> str:
    if found["pck"] is None:
        return MISSING
    return with_interval(found["pck"]["mean"], found["ci95"] and found["ci95"]["mean"])


def readings(
    found: Mapping[str, Sequence[Mapping[str, Any]]], milliseconds: Mapping[str, float | None], people: str
) -> Table:
    """One row a variant and way to read its output, as the evaluate stage writes them.

    `milliseconds` is the p50 of each variant's float32 file.
    """
    thresholds = sorted(next(iter(found.values()))[0]["pck"], key=float, reverse=True)
    rows = []
    for variant, of_variant in found.items():
        for one in of_variant:
            once = milliseconds[variant]
            rows.append(
                (
                    f"{variant}: {one['reading']}{' (headline)' if one['headline'] else ''}",
                    score(one, THRESHOLD, "mean"),
                    *(_gain(one["gain"].get(at)) for at in thresholds),
                    number(None if once is None else once * one["runs_of_the_model"], 2),
                )
            )
    return Table(
        title=f"Other ways to read the same outputs ({people})",
        headers=("reading", f"PCK@{THRESHOLD}", *(f"gain @{at}" for at in thresholds), "ms"),
        rows=tuple(rows),
        note="Every other table is of the headline's reading. Gains are in points of percent over it, on the same "
        "people. ms: p50 of the float32 file, twice that for the flip test, which runs the model on the mirrored "
        "crop too; decoding itself is not in it.",
    )


def _gain(at_threshold: Mapping[str, Any] | None) -> str:
    if at_threshold is None:
        return MISSING
    return with_interval(at_threshold["mean"]["difference"], at_threshold["mean"]["ci95"], signed=True)


def behaviour(found: Mapping[str, Mapping[str, Any]], people: str) -> Table:
    """One row a variant, one column a test of behaviour; `found` has what `scoring.behaviour` gives for each."""
    rows = [
        (
            name,
            *(
                f"{told(one[test])}\n{'holds' if one[test]['holds'] else 'DOES NOT HOLD'}"
                for test, told in TOLD.items()
            ),
        )
        for name, one in found.items()
    ]
    first = next(iter(found.values()))
    tests_of: dict[str, list[str]] = {}
    for test in TOLD:
        tests_of.setdefault(first[test]["bound"], []).append(test)
    bounds = "; ".join(f"{', '.join(tests)}: {bound}" for bound, tests in tests_of.items())
    return Table(
        title=f"How the models behave on changed crops ({people})",
        headers=("variant", *TOLD),
        rows=tuple(rows),
        note="mirrored: how far the joints of the mirrored crop, mirrored back, are from the crop's own (median, "
        "torso diameters). shifted: share of the largest shift that the joints follow (median). darker, blurrier: "
        f"PCK@0.2 from the crop as it is to the strongest change. What must hold: {bounds}.",
    )


TOLD: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "mirrored": lambda test: number(test["median"], 3),
    "shifted": lambda test: number(list(test["steps"].values())[-1]["followed"], 2),
    "darker": lambda test: " → ".join(number(value, 0) for value in test["pck_0.2"].values()),
    "blurrier": lambda test: " → ".join(number(value, 0) for value in test["pck_0.2"].values()),
}
"""What is told of each test."""


def label_ceiling(agreement: Mapping[str, Any], people: str) -> Table | None:
    """How far two annotators agree, one row a split and threshold; None if nobody is annotated twice.

    `agreement` has what `scoring.agreement` gives for each split.
    """
    rows = []
    for split, found in agreement.items():
        for threshold in sorted(found["pck"], key=float, reverse=True):
            pck = {threshold: found["pck"][threshold] | {"ci95": found["ci95"][threshold]}}
            scores = [score({"pck": pck}, threshold, joint) for joint in ("mean", "elbow", "wrist", "lhip", "rhip")]
            rows.append((split, str(found["pairs"]), f"@{threshold}", *scores))
    if not rows:
        return None
    return Table(
        title=f"How far two annotators agree: a ceiling for any model ({people})",
        headers=("split", "pairs", "PCK", "mean", "elbow", "wrist", "lhip", "rhip"),
        rows=tuple(rows),
        note="PCK in percent of one annotation of a person against another one of the same person, the mean of "
        "both directions, with its 95 % interval over pictures.",
    )
