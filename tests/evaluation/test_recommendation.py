from typing import Any

import pytest

from splitpose.evaluation import recommendation


def recommend(variants: dict[str, Any], differences: list[dict[str, Any]]) -> dict[str, Any] | None:
    return recommendation.recommend(variants, differences, 40)


def metrics(pck: float | None, parameters: int = 1_000_000) -> dict[str, Any]:
    interval = None if pck is None else [pck - 2, pck + 2]
    return {
        "parameters": parameters,
        "pck": {"0.2": {"mean": pck, "ci95": {"mean": interval}}},
        "seeds": {"covered": True},
    }


def difference(
    variant: str, reference: str, value: float, outcome: str, ci95: list[float] | None = None
) -> dict[str, Any]:
    ci95 = ci95 or [value - 1, value + 1]
    mean = {"difference": value, "ci95": ci95, "outcome": outcome, "se_people": 0.5}
    pair = {"variant": variant, "reference": reference, "n": 40, "seeds_covered": False}
    return {**pair, "pck": {"0.2": {"mean": mean}}}


def test_the_most_accurate_variant_is_compared_with_the_next_best() -> None:
    result = recommend(
        {"baseline": metrics(80.0), "split": metrics(88.0), "final": metrics(90.0, 5_000_000)},
        [
            difference("split", "baseline", 8.0, "better"),
            difference("final", "baseline", 10.0, "better"),
            difference("final", "split", 2.0, "better"),
        ],
    )
    assert result == {
        "variant": "final",
        "n": 40,
        "pck": 90.0,
        "ci95": [88.0, 92.0],
        "seeds_covered": True,
        "most_accurate": "final",
        "not_distinguishable": [],
        "compared_with": {
            "variant": "split",
            "difference": 2.0,
            "ci95": [1.0, 3.0],
            "outcome": "better",
            "seeds_covered": False,
        },
    }


def test_opposite_differences_are_negated() -> None:
    result = recommend(
        {"final": metrics(90.0), "split": metrics(88.0)}, [difference("split", "final", -2.0, "worse")]
    )
    assert result is not None
    assert result["compared_with"] == {
        "variant": "split",
        "difference": 2.0,
        "ci95": [1.0, 3.0],
        "outcome": "better",
        "seeds_covered": False,
    }


def test_the_smallest_of_indistinguishable_variants_is_recommended() -> None:
    result = recommend(
        {"split": metrics(90.0, 3_000_000), "final": metrics(89.5, 2_000_000), "tiny": metrics(70.0, 1_000)},
        [
            difference("final", "split", -0.5, "not distinguishable"),
            difference("tiny", "split", -20.0, "worse"),
            difference("tiny", "final", -19.5, "worse"),
        ],
    )
    assert result is not None
    assert (result["variant"], result["most_accurate"]) == ("final", "split")
    assert result["not_distinguishable"] == ["final"]
    assert result["compared_with"]["variant"] == "split"
    assert (result["compared_with"]["difference"], result["compared_with"]["ci95"]) == (-0.5, [-1.5, 0.5])


def test_an_indistinguishable_larger_variant_is_named() -> None:
    result = recommend(
        {"split": metrics(90.0, 1_000), "other": metrics(89.9, 900), "final": metrics(89.5, 2_000_000)},
        [
            difference("other", "split", -0.1, "worse", [-0.15, -0.05]),
            difference("final", "split", -0.5, "not distinguishable"),
            difference("final", "other", -0.4, "not distinguishable"),
        ],
    )
    assert result is not None
    assert (result["variant"], result["not_distinguishable"]) == ("split", ["final"])
    assert result["compared_with"]["variant"] == "final"  # Not `other`, the next best, which is worse.


def test_equal_sizes_keep_the_most_accurate_variant() -> None:
    result = recommend(
        {"a": metrics(90.0), "b": metrics(89.9)}, [difference("b", "a", -0.1, "not distinguishable")]
    )
    assert result is not None
    assert result["variant"] == "a"


def test_without_intervals_no_variant_is_distinguishable() -> None:
    pair = difference("b", "a", -5.0, "not distinguishable")
    pair["pck"]["0.2"]["mean"]["ci95"] = None
    result = recommend({"a": metrics(90.0), "b": metrics(85.0)}, [pair])
    assert result is not None
    assert result["not_distinguishable"] == ["b"]
    assert (result["compared_with"]["difference"], result["compared_with"]["ci95"]) == (5.0, None)


def test_a_single_variant_is_compared_with_none() -> None:
    result = recommend({"final": metrics(90.0)}, [])
    assert result is not None
    assert (result["variant"], result["compared_with"]) == ("final", None)


@pytest.mark.parametrize("variants", [{}, {"final": metrics(None)}])
def test_without_scores_there_is_no_recommendation(variants: dict[str, Any]) -> None:
    assert recommend(variants, []) is None
