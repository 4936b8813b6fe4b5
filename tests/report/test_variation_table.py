from typing import Any

from splitpose.report.variation_table import variation_table

DATA = "synthetic people"

MEAN = {
    "score": 85.6, "range": [83.0, 87.2], "ci95": [80.9, 90.3], "se_people": 0.58, "se_seeds": 1.312,
    "ci95_people": [84.4, 86.7],
}  # fmt: skip
DIFFERENCE = {
    "difference": 3.9, "ci95": [-0.9, 8.7], "outcome": "not distinguishable", "se_people": 0.5, "se_seeds": 1.32,
    "ci95_people": [2.9, 4.9],
}  # fmt: skip


def pair(mean: dict[str, Any] | None, seeds_covered: bool = True) -> dict[str, Any]:
    names = {"variant": "split", "reference": "baseline"}
    return {**names, "n": 397, "seeds_covered": seeds_covered, "pck": {"0.2": {"mean": mean}}}


def test_variants_and_their_differences_have_both_parts() -> None:
    table = variation_table({"baseline": {"0.2": {"mean": MEAN}}}, [pair(DIFFERENCE)], DATA)
    assert table.headers == ("variant", "PCK@0.2", "seeds", "SE seeds", "SE people", "95 % people", "95 % both")
    assert table.rows == (
        ("baseline", "85.6", "83.0–87.2", "1.31", "0.58", "84.4–86.7", "80.9–90.3"),
        ("split vs baseline", "+3.9", "–", "1.32", "0.50", "+2.9 to +4.9", "-0.9 to +8.7"),
    )
    assert DATA in table.title


def test_one_cluster_has_no_variation_between_people() -> None:
    one = MEAN | {"se_people": None, "ci95_people": None, "ci95": None}
    assert variation_table({"baseline": {"0.2": {"mean": one}}}, [], DATA).rows == (
        ("baseline", "85.6", "83.0–87.2", "1.31", "–", "–", "–"),
    )


def test_differences_without_several_seeds_or_scores_are_left_out() -> None:
    assert variation_table({}, [pair(DIFFERENCE, seeds_covered=False), pair(None)], DATA).rows == ()
