import math

import pytest

from splitpose.report import cells


def test_numbers() -> None:
    assert cells.number(2.345, 1) == "2.3"
    assert cells.number(0.0, 2) == "0.00"
    assert cells.millions(3_250_326) == "3.25"
    assert cells.millions(568_400_000, digits=0) == "568"
    assert cells.megabytes(1_234_567) == "1.23"
    assert cells.loss(0.000157) == "1.57e-04"


@pytest.mark.parametrize("nothing", [None, math.nan])
def test_what_is_not_known_is_a_dash(nothing: float | None) -> None:
    assert cells.number(nothing, 1) == "–"
    assert cells.millions(nothing) == "–"
    assert cells.megabytes(nothing) == "–"
    assert cells.loss(nothing) == "–"
    assert cells.with_interval(nothing, [1.0, 2.0]) == "–"


def test_the_interval_stands_on_a_second_line() -> None:
    assert cells.with_interval(90.04, [89.0, 91.25]) == "90.0\n89.0–91.2"
    assert cells.with_interval(90.0, None) == "90.0"
    assert cells.with_interval(90.0, [math.nan, math.nan]) == "90.0"


def test_signed_numbers_have_no_dash_between_them() -> None:
    assert cells.with_interval(1.5, [-0.5, 3.5], signed=True) == "+1.5\n-0.5 to +3.5"
    assert cells.with_interval(-2.0, [-3.0, -1.0], signed=True) == "-2.0\n-3.0 to -1.0"


def test_a_score_and_its_interval_within_it_or_beside_it() -> None:
    within = {"pck": {"0.2": {"mean": 90.0, "ci95": {"mean": [89.0, 91.0]}}}}
    beside = {"pck": {"0.2": {"mean": 90.0}}, "ci95": {"0.2": {"mean": [88.0, 92.0]}}}
    assert cells.score(within, "0.2", "mean") == "90.0\n89.0–91.0"
    assert cells.score(beside, "0.2", "mean") == "90.0\n88.0–92.0"
    assert cells.score(beside, "0.1", "mean") == "–"
    assert cells.score(beside, "0.2", "nose") == "–"
