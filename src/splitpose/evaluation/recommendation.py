"""The recommended variant: the most accurate one, or the smallest of those that are not distinguishable from it."""

from collections.abc import Mapping, Sequence
from typing import Any

THRESHOLD = "0.2"
GROUP = "mean"
"""Variants are ranked by their mean PCK@0.2."""


def recommend(
    variants: Mapping[str, Mapping[str, Any]], differences: Sequence[Mapping[str, Any]], instances: int
) -> dict[str, Any] | None:
    """Recommend a variant by its mean PCK@0.2 and the paired differences between variants.

    If other variants are not distinguishable from the most accurate one, the one with the fewest parameters among
    all of these is recommended.

    Args:
        variants: entries of the variants in the comparison: {"parameters", "pck": {threshold: {group: percent,
            "ci95": {group: [low, high]}}}, "seeds": {"covered"}}.
        differences: as `paired_differences` returns them for the same variants.
        instances: number of test instances.

    Returns:
        {"variant", "n", "pck", "ci95", "seeds_covered", "most_accurate", "not_distinguishable": the variants that
        are not distinguishable from the most accurate one, "compared_with": {"variant", "difference", "ci95",
        "outcome", "seeds_covered"}}; "seeds_covered" is whether the interval next to it covers seeds.
        The recommended variant is compared with the most accurate one or, if it is the most accurate itself, with
        the next best, preferring one that is not distinguishable; "compared_with" is None for a single variant.
        None if no variant has a score.
    """
    scores = {name: variant["pck"][THRESHOLD][GROUP] for name, variant in variants.items()}
    ranking = sorted((name for name in scores if scores[name] is not None), key=lambda name: -scores[name])
    if not ranking:
        return None
    best, *others = ranking
    compared = {name: _difference(differences, name, best) for name in others}
    tied = [name for name in others if compared[name]["outcome"] == "not distinguishable"]
    recommended = min([best, *tied], key=lambda name: variants[name]["parameters"])
    other = best if recommended != best else next(iter(tied or others), None)
    return {
        "variant": recommended,
        "n": instances,
        "pck": scores[recommended],
        "ci95": variants[recommended]["pck"][THRESHOLD]["ci95"][GROUP],
        "seeds_covered": variants[recommended]["seeds"]["covered"],
        "most_accurate": best,
        "not_distinguishable": tied,
        "compared_with": None
        if other is None
        else {"variant": other, **_difference(differences, recommended, other)},
    }


def _difference(differences: Sequence[Mapping[str, Any]], variant: str, reference: str) -> dict[str, Any]:
    """Return the difference of `variant` from `reference`; it is negated if the opposite one was computed."""
    pairs = {(pair["variant"], pair["reference"]): pair for pair in differences}
    pair = pairs.get((variant, reference)) or pairs[reference, variant]
    found, covered = pair["pck"][THRESHOLD][GROUP], {"seeds_covered": pair["seeds_covered"]}
    if pair["variant"] == variant:
        return {key: found[key] for key in ("difference", "ci95", "outcome")} | covered
    opposite = {"better": "worse", "worse": "better"}
    return {
        "difference": 0.0 - found["difference"],
        "ci95": [0.0 - end for end in reversed(found["ci95"])] if found["ci95"] else None,
        "outcome": opposite.get(found["outcome"], found["outcome"]),
    } | covered
