"""Table of the variation of scores and differences between seeds and between people."""

from collections.abc import Mapping, Sequence
from typing import Any

from splitpose.report.document import Table
from splitpose.report.formatting import MISSING, format_interval, format_number

THRESHOLD = "0.2"
GROUP = "mean"


def variation_table(
    variation: Mapping[str, Mapping[str, Any]], differences: Sequence[Mapping[str, Any]], data: str
) -> Table:
    """Return one row per variant and per pair of variants with several seeds: variation between seeds and people.

    Args:
        variation: content of seed_variation.json.
        differences: content of paired_differences.json.
        data: description of the data (see `tables.describe_data`) for the title.
    """
    scores = {name: thresholds[THRESHOLD][GROUP] for name, thresholds in variation.items()}
    pairs = {
        f"{pair['variant']} vs {pair['reference']}": pair["pck"][THRESHOLD][GROUP]
        for pair in differences
        if pair["seeds_covered"]
    }
    rows = [
        (name, format_number(score["score"], 1), format_interval(score["range"]), *_format_variation(score))
        for name, score in scores.items()
    ]
    rows += [
        (name, f"{pair['difference']:+.1f}", MISSING, *_format_variation(pair, signed=True))
        for name, pair in pairs.items()
        if pair is not None
    ]
    return Table(
        title=f"Variation between seeds and between people ({data})",
        headers=("variant", f"PCK@{THRESHOLD}", "seeds", "SE seeds", "SE people", "95 % people", "95 % both"),
        rows=tuple(rows),
        note="Mean over the seeds, the lowest and the highest seed, and differences of means. SE: standard error "
        "in percentage points, over other seeds and over other people of the same kind. 95 % people: interval of "
        "these seeds with other people. 95 % both: interval with other seeds and other people; it decides which "
        "variant is called better, and is wide if few seeds vary much.",
    )


def _format_variation(value: Mapping[str, Any], signed: bool = False) -> tuple[str, ...]:
    """Format both standard errors and both intervals."""
    errors = (format_number(value[key], 2) for key in ("se_seeds", "se_people"))
    return (*errors, *(format_interval(value[key], signed) for key in ("ci95_people", "ci95")))
