import math

import pytest

from splitpose.report import formatting


def test_numbers() -> None:
    assert formatting.format_number(2.345, 1) == "2.3"
    assert formatting.format_number(0.0, 2) == "0.00"
    assert formatting.format_millions(3_250_326) == "3.25"
    assert formatting.format_millions(568_400_000, digits=0) == "568"
    assert formatting.format_megabytes(1_234_567) == "1.23"
    assert formatting.format_loss(0.000157) == "1.57e-04"


@pytest.mark.parametrize("nothing", [None, math.nan])
def test_missing_numbers_are_a_dash(nothing: float | None) -> None:
    assert formatting.format_number(nothing, 1) == "–"
    assert formatting.format_millions(nothing) == "–"
    assert formatting.format_megabytes(nothing) == "–"
    assert formatting.format_loss(nothing) == "–"
    assert formatting.format_with_interval(nothing, [1.0, 2.0]) == "–"


def test_the_interval_is_on_a_second_line() -> None:
    assert formatting.format_with_interval(90.04, [89.0, 91.25]) == "90.0\n89.0–91.2"
    assert formatting.format_with_interval(90.0, None) == "90.0"
    assert formatting.format_with_interval(90.0, [math.nan, math.nan]) == "90.0"


def test_signed_numbers_have_no_dash_between_them() -> None:
    assert formatting.format_with_interval(1.5, [-0.5, 3.5], signed=True) == "+1.5\n-0.5 to +3.5"
    assert formatting.format_with_interval(-2.0, [-3.0, -1.0], signed=True) == "-2.0\n-3.0 to -1.0"


def test_intervals() -> None:
    assert formatting.format_interval([89.04, 91.0]) == "89.0–91.0"
    assert formatting.format_interval([-1.0, 2.0], signed=True) == "-1.0 to +2.0"
    assert formatting.format_interval(None) == "–"


def test_the_range_over_the_seeds_is_on_a_third_line() -> None:
    variant = {
        "pck": {"0.2": {"mean": 90.0, "nose": None, "ci95": {"mean": [89.0, 91.0], "nose": None}}},
        "seeds": {"pck_range": {"0.2": {"mean": [88.1, 91.5], "nose": None}}},
    }
    assert formatting.format_score_and_range(variant, "0.2", "mean") == "90.0\n89.0–91.0\n[88.1–91.5]"
    assert formatting.format_score_and_range(variant, "0.2", "nose") == "–"
    assert formatting.format_score_and_range(variant | {"seeds": {"count": 1}}, "0.2", "mean") == "90.0\n89.0–91.0"


def test_a_score_and_its_interval_inside_or_next_to_it() -> None:
    within = {"pck": {"0.2": {"mean": 90.0, "ci95": {"mean": [89.0, 91.0]}}}}
    next_to = {"pck": {"0.2": {"mean": 90.0}}, "ci95": {"0.2": {"mean": [88.0, 92.0]}}}
    assert formatting.format_score(within, "0.2", "mean") == "90.0\n89.0–91.0"
    assert formatting.format_score(next_to, "0.2", "mean") == "90.0\n88.0–92.0"
    assert formatting.format_score(next_to, "0.1", "mean") == "–"
    assert formatting.format_score(next_to, "0.2", "nose") == "–"


def test_durations() -> None:
    seconds = (12.4, 89.0, 125.0, 5400.0, 12_600.0)
    assert [formatting.format_duration(one) for one in seconds] == ["12 s", "89 s", "2 min", "1.5 h", "3.5 h"]
    assert formatting.format_duration(None) == "–"


def test_words_are_joined_as_in_a_sentence() -> None:
    assert formatting.join_words(["a"]) == "a"
    assert formatting.join_words(["a", "b"]) == "a and b"
    assert formatting.join_words(["a", "b", "c"]) == "a, b and c"
