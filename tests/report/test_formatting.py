import math

import pytest

from splitpose.report import formatting


def test_numbers() -> None:
    assert formatting.number(2.345, 1) == "2.3"
    assert formatting.number(0.0, 2) == "0.00"
    assert formatting.millions(3_250_326) == "3.25"
    assert formatting.millions(568_400_000, digits=0) == "568"
    assert formatting.megabytes(1_234_567) == "1.23"
    assert formatting.loss(0.000157) == "1.57e-04"


@pytest.mark.parametrize("nothing", [None, math.nan])
def test_what_is_not_known_is_a_dash(nothing: float | None) -> None:
    assert formatting.number(nothing, 1) == "–"
    assert formatting.millions(nothing) == "–"
    assert formatting.megabytes(nothing) == "–"
    assert formatting.loss(nothing) == "–"
    assert formatting.with_interval(nothing, [1.0, 2.0]) == "–"


def test_the_interval_stands_on_a_second_line() -> None:
    assert formatting.with_interval(90.04, [89.0, 91.25]) == "90.0\n89.0–91.2"
    assert formatting.with_interval(90.0, None) == "90.0"
    assert formatting.with_interval(90.0, [math.nan, math.nan]) == "90.0"


def test_signed_numbers_have_no_dash_between_them() -> None:
    assert formatting.with_interval(1.5, [-0.5, 3.5], signed=True) == "+1.5\n-0.5 to +3.5"
    assert formatting.with_interval(-2.0, [-3.0, -1.0], signed=True) == "-2.0\n-3.0 to -1.0"


def test_a_score_and_its_interval_within_it_or_beside_it() -> None:
    within = {"pck": {"0.2": {"mean": 90.0, "ci95": {"mean": [89.0, 91.0]}}}}
    beside = {"pck": {"0.2": {"mean": 90.0}}, "ci95": {"0.2": {"mean": [88.0, 92.0]}}}
    assert formatting.score(within, "0.2", "mean") == "90.0\n89.0–91.0"
    assert formatting.score(beside, "0.2", "mean") == "90.0\n88.0–92.0"
    assert formatting.score(beside, "0.1", "mean") == "–"
    assert formatting.score(beside, "0.2", "nose") == "–"
