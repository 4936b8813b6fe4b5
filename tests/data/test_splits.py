import pandas as pd
import pytest

from splitpose.data.splits import cut
from splitpose.errors import InputError


def table(groups):
    return pd.DataFrame({"group": list(groups), "split": "train"})


def test_whole_groups_move():
    out = cut(table("aaaabbbbccccdddd"), "val", fraction=0.5, seed=3, key="k")
    assert (out["split"] == "val").sum() == 8
    assert out.groupby("group")["split"].nunique().max() == 1


def test_other_splits_stay():
    rows = table("aabb")
    rows.loc[[0, 2], "split"] = "test"
    out = cut(rows, "val", 0.5, 0, "k")
    assert out.loc[[0, 2], "split"].tolist() == ["test", "test"]
    assert sorted(out.loc[[1, 3], "split"]) == ["train", "val"]


def test_something_is_cut_and_something_is_left():
    for fraction in (0.0, 1.0):
        out = cut(table("aaabb"), "val", fraction, 0, "k")
        assert set(out["split"]) == {"train", "val"}


def test_a_group_too_large_is_passed_over():
    for seed in range(8):  # whatever the order, only b and c fit into 3 of 12 rows
        out = cut(table("aaaaaaaaabbc"), "val", 0.25, seed, "k")
        assert out.loc[out["split"] == "val", "group"].tolist() == ["b", "b", "c"]


def test_the_smallest_group_moves_where_none_fits():
    for seed in range(8):
        out = cut(table("aaaaabbbb"), "val", 0.2, seed, "k")
        assert out.loc[out["split"] == "val", "group"].tolist() == list("bbbb")


def test_the_seed_decides():
    splits = [tuple(cut(table("abcdefgh"), "val", 0.25, seed, "k")["split"]) for seed in (1, 1, 2)]
    assert splits[0] == splits[1] != splits[2]


def test_one_group_cannot_be_cut():
    with pytest.raises(InputError, match=r"validation.fraction: the training rows have 1 group"):
        cut(table("aaa"), "val", 0.2, 0, "validation.fraction")
