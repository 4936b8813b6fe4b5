from typing import Any

import pytest
from support.synthetic_report import comparison

from splitpose.report import seeds


def mixed() -> dict[str, Any]:
    """Return a comparison of baseline, trained once, with final, trained three times."""
    content = comparison(repeats=3)
    content["variants"]["baseline"] = comparison()["variants"]["baseline"]
    return content


@pytest.mark.parametrize(
    ("content", "count", "coverage"),
    [
        (comparison(), "one seed", "over people"),
        (comparison(repeats=3), "3 seeds", "over people and seeds"),
        (mixed(), "1 to 3 seeds", "over people and seeds (of variants with one seed: over people only)"),
    ],
)
def test_number_of_seeds_and_coverage(content: dict[str, Any], count: str, coverage: str) -> None:
    assert seeds.describe_count(content) == count
    assert seeds.describe_coverage(content) == coverage


def test_what_is_not_covered_is_stated_with_what_to_do() -> None:
    assert seeds.describe_missing(comparison()).startswith(
        "The variation between seeds is not covered, because each variant was trained from one seed;"
    )
    assert seeds.describe_missing(comparison(repeats=3)) == ""
    assert "because baseline was trained from one seed; train several repeats" in seeds.describe_missing(mixed())
    both = mixed()
    both["variants"]["split"] = both["variants"]["baseline"]
    assert "because baseline and split were trained from one seed" in seeds.describe_missing(both)


def test_exported_repeats_are_named() -> None:
    assert seeds.describe_exported(comparison()) == ""
    assert seeds.describe_exported(comparison(repeats=3)).endswith("Exported repeats: baseline 2, final 2.")
    assert seeds.describe_exported(mixed()).endswith("Exported repeats: final 2.")
