import pandas as pd
import pytest

from splitpose.data.splits import assign_splits, split_off
from splitpose.errors import InputError
from splitpose.settings import Validation


def table(groups):
    return pd.DataFrame({"group": list(groups), "split": "train"})


def test_whole_groups_move():
    out = split_off(table("aaaabbbbccccdddd"), "val", fraction=0.5, seed=3, key="k")
    assert (out["split"] == "val").sum() == 8
    assert out.groupby("group")["split"].nunique().max() == 1


def test_other_splits_are_kept():
    rows = table("aabb")
    rows.loc[[0, 2], "split"] = "test"
    out = split_off(rows, "val", 0.5, 0, "k")
    assert out.loc[[0, 2], "split"].tolist() == ["test", "test"]
    assert sorted(out.loc[[1, 3], "split"]) == ["train", "val"]


def test_both_splits_get_at_least_one_group():
    for fraction in (0.0, 1.0):
        out = split_off(table("aaabb"), "val", fraction, 0, "k")
        assert set(out["split"]) == {"train", "val"}


def test_a_group_that_is_too_large_is_passed_over():
    for seed in range(8):  # in any order, only b and c fit into 3 of 12 rows
        out = split_off(table("aaaaaaaaabbc"), "val", 0.25, seed, "k")
        assert out.loc[out["split"] == "val", "group"].tolist() == ["b", "b", "c"]


def test_the_smallest_group_moves_if_none_fits():
    for seed in range(8):
        out = split_off(table("aaaaabbbb"), "val", 0.2, seed, "k")
        assert out.loc[out["split"] == "val", "group"].tolist() == list("bbbb")


def test_the_seed_determines_the_split():
    splits = [tuple(split_off(table("abcdefgh"), "val", 0.25, seed, "k")["split"]) for seed in (1, 1, 2)]
    assert splits[0] == splits[1] != splits[2]


def test_a_single_group_cannot_be_split():
    with pytest.raises(InputError, match=r"validation.fraction: the training rows have 1 group"):
        split_off(table("aaa"), "val", 0.2, 0, "validation.fraction")


def test_only_missing_splits_are_assigned():
    validation = Validation(fraction=0.2, seed=0)
    assert set(assign_splits(table("aabbcc"), validation)["split"]) == {"train", "val"}
    assert set(assign_splits(table("aabbcc"), validation, test_fraction=0.2)["split"]) == {"train", "val", "test"}
    rows = table("aabbcc").assign(split=["train", "train", "val", "val", "test", "test"])
    pd.testing.assert_frame_equal(assign_splits(rows, validation, test_fraction=0.2), rows)
