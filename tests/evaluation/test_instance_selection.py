import numpy as np
import pytest

from splitpose.errors import InputError
from splitpose.evaluation.instance_selection import select_by_error, select_hardest, select_instances
from splitpose.skeleton import INDEX, JOINTS


def no_errors(count: int) -> np.ndarray:
    return np.zeros((count, len(JOINTS)))


def uniform_errors(values: list[float]) -> np.ndarray:
    """Return (N, K) with the same error at all joints of a person."""
    return np.repeat(np.array(values)[:, None], len(JOINTS), axis=1)


def test_both_ends_and_the_median_are_selected() -> None:
    errors = np.arange(9) / 50
    assert select_by_error(errors, 3) == [("smallest", 0), ("median", 4), ("largest", 8)]
    assert select_by_error(errors[::-1], 6) == [
        ("smallest", 8), ("smallest", 7), ("median", 5), ("median", 4), ("largest", 1), ("largest", 0),
    ]  # fmt: skip


def test_fewer_people_than_requested_are_not_grouped() -> None:
    assert select_by_error(np.array([0.02, 0.0]), 12) == [("all", 1), ("all", 0)]


def test_unscored_people_are_not_selected() -> None:
    assert select_by_error(np.array([np.nan, 0.02, 0.04, 0.06]), 3) == [
        ("smallest", 1),
        ("median", 2),
        ("largest", 3),
    ]
    with pytest.raises(InputError, match="no test instance has a scored joint"):
        select_by_error(np.array([np.nan]), 3)


def test_hardest_people_have_the_largest_mean_errors() -> None:
    errors = no_errors(5)
    errors[1] = 0.2
    errors[2, 0] = 1.0  # one wrong joint: a mean of 1 / 11
    errors[3, :5] = 0.5
    errors[3, 5:] = np.nan  # five of eleven joints: left out
    errors[4, :6] = 0.3
    errors[4, 6:] = np.nan
    assert select_hardest(errors, 3) == [4, 1, 2]


def test_hardest_people_with_equal_errors_keep_their_order() -> None:
    assert select_hardest(no_errors(3), 2) == [0, 1]


def test_without_scored_people_there_are_no_hardest() -> None:
    assert select_hardest(np.full((1, 11), np.nan), 3) == []


def test_selection_has_ids_groups_and_errors() -> None:
    errors = {"baseline": uniform_errors([0.1, 0.5, 0.2]), "final": uniform_errors([0.8, 0.1, 0.1])}
    selected = select_instances(["a", "b", "c"], errors, per_variant=3, hardest=2)
    assert selected["variants"]["baseline"] == [
        {"id": "a", "group": "smallest", "error": 0.1},
        {"id": "c", "group": "median", "error": 0.2},
        {"id": "b", "group": "largest", "error": 0.5},
    ]
    assert [entry["id"] for entry in selected["variants"]["final"]] == ["b", "c", "a"]
    # On average 0.45, 0.3 and 0.15.
    assert selected["hardest"] == [
        {"id": "a", "errors": {"baseline": 0.1, "final": 0.8}},
        {"id": "b", "errors": {"baseline": 0.5, "final": 0.1}},
    ]


def test_an_outlier_joint_does_not_make_a_person_hardest() -> None:
    errors = {"baseline": uniform_errors([0.07, 0.0]), "final": uniform_errors([0.07, 0.0])}
    errors["final"][1, INDEX["nose"]] = 100.0  # Clipped to 1: on average over the variants 0.5 / 11 < 0.07.
    (hardest,) = select_instances(["a", "b"], errors, per_variant=1, hardest=1)["hardest"]
    assert hardest["id"] == "a"


def test_people_that_are_not_scored_are_not_hardest() -> None:
    errors = uniform_errors([0.2, 0.0])
    errors[0] = np.nan
    assert [entry["id"] for entry in select_instances(["a", "b"], {"final": errors}, 1, 6)["hardest"]] == ["b"]


def test_a_missing_prediction_has_no_error_in_json() -> None:
    errors = uniform_errors([0.1])
    errors[0, INDEX["nose"]] = np.inf
    selected = select_instances(["a"], {"final": errors}, per_variant=3, hardest=1)
    assert selected["variants"]["final"] == [{"id": "a", "group": "all", "error": None}]
