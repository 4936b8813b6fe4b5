"""Cutting splits by group, so that one film or session never stands on both sides of a cut."""

import numpy as np
import pandas as pd

from splitpose.errors import InputError


def cut(table: pd.DataFrame, name: str, fraction: float, seed: int, key: str) -> pd.DataFrame:
    """Move whole groups of training rows to the split `name`, in random order, each that it has room for.

    Args:
        table: annotation table; only rows of the split "train" move.
        name: "val" or "test".
        fraction: of the training rows, 0 to 1, that the split may have. Where even the smallest group is larger,
            that one moves; and one group always stays.
        seed: of the groups' order.
        key: of the parameter, for the error.

    Raises:
        InputError: there are fewer than two groups, so nothing can be cut.
    """
    sizes = table.loc[table["split"] == "train", "group"].value_counts().sort_index()
    if len(sizes) < 2:
        raise InputError(f"{key}: the training rows have {len(sizes)} group(s); it takes 2 to cut off {name!r}")
    chosen = []
    room = fraction * sizes.sum()
    for place in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes.iloc[place] <= room:
            chosen.append(sizes.index[place])
            room -= sizes.iloc[place]
    chosen = chosen[: len(sizes) - 1] or [sizes.idxmin()]
    moved = table["group"].isin(chosen) & (table["split"] == "train")
    return table.assign(split=table["split"].mask(moved, name))
