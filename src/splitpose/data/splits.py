"""Grouped splits: a group (a film or a session) is never divided between two splits."""

import numpy as np
import pandas as pd

from splitpose.errors import InputError
from splitpose.settings import Validation


def split_off(table: pd.DataFrame, name: str, fraction: float, seed: int, key: str) -> pd.DataFrame:
    """Move complete groups of training rows to the split `name`.

    Groups are taken in random order; a group that is larger than the remaining part of `fraction` is skipped.

    Args:
        table: annotation table; only rows of the split "train" are moved.
        name: split to create, "val" or "test".
        fraction: share of the training rows, 0 to 1, that the split may take. If even the smallest group is
            larger, that group is moved; at least one group always stays in "train".
        seed: seed of the order of the groups.
        key: parameter to name in the error.

    Raises:
        InputError: The training rows have fewer than two groups.
    """
    sizes = table.loc[table["split"] == "train", "group"].value_counts().sort_index()
    if len(sizes) < 2:
        raise InputError(f"{key}: the training rows have {len(sizes)} group(s); the split {name!r} requires two")
    chosen = []
    remaining = fraction * sizes.sum()
    for index in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes.iloc[index] <= remaining:
            chosen.append(sizes.index[index])
            remaining -= sizes.iloc[index]
    chosen = chosen[: len(sizes) - 1] or [sizes.idxmin()]
    moved = table["group"].isin(chosen) & (table["split"] == "train")
    return table.assign(split=table["split"].mask(moved, name))


def assign_splits(table: pd.DataFrame, validation: Validation, test_fraction: float | None = None) -> pd.DataFrame:
    """Split off test and validation rows where the source does not define these splits itself.

    Args:
        table: annotation table of the source.
        validation: how the validation split is drawn.
        test_fraction: share of the training rows for a missing test split; None if the source has one.
    """
    if test_fraction is not None and not (table["split"] == "test").any():
        table = split_off(table, "test", test_fraction, validation.seed, "source.test_fraction")
    if not (table["split"] == "val").any():
        table = split_off(table, "val", validation.fraction, validation.seed, "validation.fraction")
    return table
