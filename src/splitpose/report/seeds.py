"""Sentences on repeated training runs: number of seeds, what intervals cover, and the exported repeat."""

from collections.abc import Mapping
from typing import Any

from splitpose.report.formatting import join_words

PEOPLE, BOTH = "over people", "over people and seeds"


def count_seeds(variant: Mapping[str, Any]) -> int:
    """Return the number of seeds of a variant's entry in comparison.json; in earlier versions, it has one."""
    count: int = variant.get("seeds", {}).get("count", 1)
    return count


def has_several(comparison: Mapping[str, Any]) -> bool:
    """Return whether any variant was trained from several seeds."""
    return any(count_seeds(variant) > 1 for variant in comparison["variants"].values())


def are_covered(comparison: Mapping[str, Any]) -> bool:
    """Return whether the intervals of all variants cover the variation between seeds."""
    return all(count_seeds(variant) > 1 for variant in comparison["variants"].values())


def describe_count(comparison: Mapping[str, Any]) -> str:
    """Return the number of seeds in words: "one seed", "3 seeds", "1 to 3 seeds"."""
    counts = [count_seeds(variant) for variant in comparison["variants"].values()]
    low, high = min(counts), max(counts)
    if low == high:
        return "one seed" if high == 1 else f"{high} seeds"
    return f"{low} to {high} seeds"


def describe_coverage(comparison: Mapping[str, Any]) -> str:
    """Return what the 95 % intervals of the variants' scores cover, e.g. "over people and seeds"."""
    if are_covered(comparison):
        return BOTH
    if has_several(comparison):
        return f"{BOTH} (of variants with one seed: {PEOPLE} only)"
    return PEOPLE


def describe_missing(comparison: Mapping[str, Any]) -> str:
    """Return a sentence that states if and why seeds are not covered, and what to do; empty if they are."""
    single = [name for name, variant in comparison["variants"].items() if count_seeds(variant) == 1]
    if not single:
        return ""
    names = join_words(single) if has_several(comparison) else "each variant"
    verb = "were" if names != "each variant" and len(single) > 1 else "was"
    return (
        f"The variation between seeds is not covered, because {names} {verb} trained from one seed; train several "
        "repeats (the key repeats of params.yaml) to cover it."
    )


def describe_scores(comparison: Mapping[str, Any]) -> str:
    """Describe the lines of a cell with a score: mean, interval and, with several seeds, the range over them."""
    coverage = describe_coverage(comparison)
    if not has_several(comparison):
        return f"Second line: 95 % interval {coverage}; each variant was trained from one seed."
    return (
        f"Mean over {describe_count(comparison)}; second line: 95 % interval {coverage}; in brackets: the lowest "
        "and the highest seed."
    )


def describe_exported(comparison: Mapping[str, Any]) -> str:
    """Return a sentence on the results that are those of one repeat, empty if all variants have one seed."""
    exported = ", ".join(
        f"{name} {variant['seeds']['exported']}"
        for name, variant in comparison["variants"].items()
        if count_seeds(variant) > 1
    )
    if not exported:
        return ""
    return (
        "Everything that belongs to a single model (PCK curves, slices, predictions, decodings, robustness, "
        "losses, TFLite files) is that of the exported repeat, which is the best on the validation people; its "
        f"intervals cover people only. Exported repeats: {exported}."
    )
