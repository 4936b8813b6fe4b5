"""Grouped splits: a group (a film, an image or a session) is never divided between two splits.

The split of a group is a function of the seed, the group's name and the fractions. It does not depend on other
groups, so that added, removed or quarantined rows change no other group's split.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd

from splitpose.errors import InputError
from splitpose.settings import Validation

MAX_SEEDS, MAX_HASHES = 1000, 1_000_000
"""Limits of the search for a seed that gives every split a group: it takes at most about a second."""


FRACTION_KEYS = {"test": "source.test_fraction", "val": "validation.fraction"}
"""Parameter that is the share of each split that is drawn."""


def split_numbers(groups: Iterable[str] | np.ndarray, seed: int) -> np.ndarray:
    """Return a uniform number in [0, 1) for each group, which determines its split; (N,) float64.

    It is the first 53 bits of the SHA-256 of "<seed>:<group>" as a binary fraction, because float64 has 53 bits.
    """
    prefix = f"{seed}:"
    digests = b"".join(hashlib.sha256(f"{prefix}{group}".encode()).digest()[:8] for group in groups)
    return (np.frombuffer(digests, ">u8") >> np.uint64(11)).astype(np.float64) * 2.0**-53


def draw_splits(
    groups: Iterable[str] | np.ndarray, seed: int, test_fraction: float, validation_fraction: float
) -> np.ndarray:
    """Return "train", "val" or "test" for each group; (N,) text.

    A group whose number u (see `split_numbers`) is below `test_fraction` is in "test". Of the interval above it,
    the lowest `validation_fraction` is "val".

    Args:
        groups: name of each group; equal names are in the same split.
        seed: seed of the hash.
        test_fraction: expected share of the groups in "test", 0 to 1.
        validation_fraction: expected share of the other groups in "val", 0 to 1.
    """
    numbers = split_numbers(groups, seed)
    validation_end = test_fraction + (1 - test_fraction) * validation_fraction
    return np.select([numbers < test_fraction, numbers < validation_end], ["test", "val"], "train")


def assign_splits(table: pd.DataFrame, validation: Validation, test_fraction: float | None = None) -> pd.DataFrame:
    """Draw the test and validation splits where the source does not define them itself.

    Only rows of the split "train" are moved.

    Args:
        table: annotation table of the source.
        validation: how the validation split is drawn.
        test_fraction: share of the training groups for a missing test split; None if the source has one.

    Raises:
        InputError: A split would have no group. The line names the next seed that gives every split a group.
    """
    given = set(table["split"])
    fractions = {}
    if test_fraction is not None and "test" not in given:
        fractions["test"] = test_fraction
    if "val" not in given:
        fractions["val"] = validation.fraction
    is_training = table["split"] == "train"
    groups = table.loc[is_training, "group"].unique()
    splits = _draw_nonempty(groups, validation.seed, fractions)
    drawn = table["group"].map(dict(zip(groups, splits, strict=True)))
    return table.assign(split=table["split"].mask(is_training, drawn))


def _draw_nonempty(groups: np.ndarray, seed: int, fractions: dict[str, float]) -> np.ndarray:
    """Return the split of each group, given the fractions of the splits to draw; InputError if one is empty."""
    required = {"train", *fractions}

    def draw(seed: int) -> np.ndarray:
        return draw_splits(groups, seed, fractions.get("test", 0.0), fractions.get("val", 0.0))

    splits = draw(seed)
    if missing := sorted(required - set(splits)):
        shares = " and ".join(f"{FRACTION_KEYS[split]} {fraction:g}" for split, fraction in fractions.items())
        problem = (
            f"with {seed}, none of the {len(groups)} training groups is in the split {missing[0]!r} ({shares})"
        )
        seeds = range(seed + 1, seed + 1 + min(MAX_SEEDS, MAX_HASHES // max(1, len(groups))))
        other = next((other for other in seeds if required <= set(draw(other))), None)
        remedy = "change the fractions or add groups" if other is None else f"set it to {other}"
        raise InputError(f"validation.seed: {problem}; {remedy}")
    return splits
