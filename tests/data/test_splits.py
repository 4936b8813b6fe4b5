import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitpose.data.splits import assign_splits, draw_splits, split_numbers
from splitpose.errors import InputError
from splitpose.settings import Validation

NUMBERS = {"a": 0.617, "b": 0.8755, "c": 0.7423, "d": 0.4906, "e": 0.8768}
"""Split numbers of seed 0."""

names = st.text(min_size=1, max_size=8)
row_lists = st.lists(st.tuples(names, st.sampled_from(["train", "test"])), min_size=1, max_size=60)


def table(groups, split="train"):
    return pd.DataFrame({"group": list(groups), "split": split})


def splits_of(rows, *arguments):
    """Return the splits of the table's rows, or None if a split has no group."""
    try:
        return assign_splits(rows, *arguments)["split"]
    except InputError:
        return None


# The hash


def test_the_number_is_the_first_8_bytes_of_the_sha_256_of_seed_and_group():
    digest = hashlib.sha256("7:the-silent-harbour/é".encode()).digest()
    (number,) = split_numbers(["the-silent-harbour/é"], seed=7)
    assert number == pytest.approx(int.from_bytes(digest[:8], "big") / 2**64, abs=1e-15)


def test_numbers_of_known_groups():
    np.testing.assert_allclose(split_numbers(NUMBERS, seed=0), list(NUMBERS.values()), atol=5e-5)


def test_the_largest_hash_is_below_1(monkeypatch):
    class AllOnes:
        def digest(self):
            return b"\xff" * 32

    monkeypatch.setattr(hashlib, "sha256", lambda content: AllOnes())
    assert split_numbers(["a"], seed=0)[0] == 1 - 2**-53


def test_no_group_has_no_number():
    assert split_numbers([], seed=0).shape == (0,)


def test_numbers_are_uniform():
    numbers = split_numbers(np.array([f"image-{k}.jpg" for k in range(10_000)]), seed=11)
    counts, _ = np.histogram(numbers, bins=10, range=(0, 1))
    assert counts.sum() == 10_000
    assert abs(counts - 1000).max() < 120  # four standard deviations of a binomial count


def test_the_fractions_divide_the_numbers():
    # d is below 0.5; of the rest, 0.5 + 0.5 * 0.3 = 0.65 ends val, which has a.
    assert draw_splits(list("abcde"), 0, 0.5, 0.3).tolist() == ["val", "train", "train", "test", "train"]
    assert draw_splits(list("abcde"), 0, 0.0, 0.5).tolist() == ["train", "train", "train", "val", "train"]
    assert draw_splits(list("ab"), 0, 0.0, 0.0).tolist() == ["train", "train"]
    assert draw_splits(list("ab"), 0, 1.0, 0.5).tolist() == ["test", "test"]


# Splits of a source


def test_only_missing_splits_are_drawn():
    only_val = assign_splits(table("aabbdd"), Validation(fraction=0.5, seed=0))
    assert only_val["split"].tolist() == ["train", "train", "train", "train", "val", "val"]
    both = assign_splits(table("abcde"), Validation(fraction=0.3, seed=0), test_fraction=0.5)
    assert both["split"].tolist() == ["val", "train", "train", "test", "train"]
    complete = table("aabbdd", ["train", "train", "val", "val", "test", "test"])
    validation = Validation(fraction=0.5, seed=0)
    pd.testing.assert_frame_equal(assign_splits(complete, validation, test_fraction=0.5), complete)


def test_only_training_rows_move():
    rows = table("aadd", ["test", "train", "test", "train"])
    out = assign_splits(rows, Validation(fraction=0.5, seed=0))
    assert out["split"].tolist() == ["test", "train", "test", "val"]


def test_an_empty_split_is_an_error_that_names_the_next_seed_which_works():
    with pytest.raises(InputError) as raised:
        assign_splits(table("aaacc"), Validation(fraction=0.2, seed=0))
    message, seed = str(raised.value).split("; set it to ")
    assert message == (
        "validation.seed: with 0, none of the 2 training groups is in the split 'val' (validation.fraction 0.2)"
    )
    for other in range(int(seed) + 1):
        works = splits_of(table("aaacc"), Validation(fraction=0.2, seed=other)) is not None
        assert works == (other == int(seed))


def test_the_error_names_all_fractions():
    with pytest.raises(
        InputError,
        match=r"none of the 3 .* 'test' \(source.test_fraction 0.05 and validation.fraction 0.2\); set it to",
    ):
        assign_splits(table("acd"), Validation(fraction=0.2, seed=0), test_fraction=0.05)


@pytest.mark.parametrize(("groups", "fraction"), [("aaa", 0.5), ("abcde", 0.0), ("abcde", 1.0)])
def test_without_a_seed_that_works_the_fractions_or_groups_have_to_change(groups, fraction):
    with pytest.raises(InputError, match=r"^validation.seed: with 0, .*; change the fractions or add groups$"):
        assign_splits(table(groups), Validation(fraction=fraction, seed=0))


# Other groups do not matter


@given(row_lists, row_lists, st.integers(0, 2**31 - 1), st.booleans(), st.randoms(use_true_random=False))
def test_added_and_removed_groups_change_no_other_groups_split(rows, others, seed, has_test, random):
    """Remove groups at random, add others and shuffle the rows: all groups in both tables keep their split."""
    if not has_test:
        rows, others = ([(group, "train") for group, _ in part] for part in (rows, others))
    arguments = (Validation(fraction=0.4, seed=seed), None if has_test else 0.3)
    removed = {group for group, _ in rows if random.random() < 0.3}
    changed = [row for row in rows if row[0] not in removed] + others
    random.shuffle(changed)
    tables = [pd.DataFrame(part, columns=["group", "split"]) for part in (rows, changed)]
    before, after = (splits_of(part, *arguments) for part in tables)
    if before is None or after is None:
        return
    pairs = [
        dict(zip(zip(part["group"], part["split"], strict=True), splits, strict=True))
        for part, splits in zip(tables, (before, after), strict=True)
    ]
    for row in pairs[0].keys() & pairs[1].keys():
        assert pairs[0][row] == pairs[1][row]


@given(st.lists(names, min_size=1, max_size=60), st.integers(0, 2**31 - 1), st.randoms(use_true_random=False))
def test_removed_rows_and_their_order_do_not_matter(groups, seed, random):
    kept = [k for k in range(len(groups)) if random.random() < 0.7]
    random.shuffle(kept)
    rows = table(groups)
    complete = splits_of(rows, Validation(fraction=0.4, seed=seed))
    part = splits_of(rows.loc[kept], Validation(fraction=0.4, seed=seed))
    if complete is not None and part is not None:
        assert part.equals(complete.loc[kept])
