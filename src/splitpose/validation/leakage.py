"""Pictures that tie people who are scored to people who were learned from.

A row of val is compared with train, a row of test with train and val; the results stand beside the scored row.
"""

import numpy as np
import pandas as pd

from splitpose.validation.near_duplicates import BITS, MAX_HAMMING_DISTANCE, bits, differing_bits

LEARNED_FROM = {"val": ["train"], "test": ["train", "val"]}

AT_ONCE = 64
"""Pictures that are compared with all others at a time, which bounds the memory."""


def frames_apart(table: pd.DataFrame) -> pd.Series:
    """Frames between each scored row's picture and the closest one of its group that was learned from.

    Pictures of one group count as frames if their names end in a number. Empty where there is no such picture.
    """
    # More digits are no frame number, and no float64.
    frame = table["image"].str.extract(r"(?<!\d)(\d{1,15})(?:\.[^./]*)?$")[0].astype(float)
    frames = table[["group", "split"]].assign(frame=frame).dropna().sort_values("frame", kind="stable")
    apart = pd.Series(np.nan, index=table.index)
    for scored, learned in LEARNED_FROM.items():
        ours = frames[frames["split"] == scored].reset_index(names="row")
        theirs = frames[frames["split"].isin(learned)].assign(closest=lambda rows: rows["frame"])
        pairs = pd.merge_asof(
            ours, theirs[["group", "frame", "closest"]], on="frame", by="group", direction="nearest"
        )
        apart[pairs["row"]] = (pairs["frame"] - pairs["closest"]).abs().to_numpy()
    return apart


def near_duplicate_of(table: pd.DataFrame, sources: pd.Series, fingerprints: pd.Series) -> pd.Series:
    """For each scored row, the picture most like its own that was learned from, if the two are copies of one.

    Pictures of one group of one source are not compared: frames of a film are alike, and what they tie is what
    `frames_apart` and the split by group are about.

    Args:
        table: annotation table.
        sources: of each row (see `source_of`).
        fingerprints: of each row's picture; a picture without one is like no other.
    """
    columns = table[["image", "split"]].assign(family=sources + "\n" + table["group"], fingerprint=fingerprints)
    shown = columns.dropna().drop_duplicates(["image", "split", "family"])
    found = pd.Series(None, index=table.index, dtype=object)
    for scored, learned in LEARNED_FROM.items():
        closest = _closest(shown[shown["split"] == scored], shown[shown["split"].isin(learned)])
        rows = (columns["split"] == scored) & columns["fingerprint"].notna()
        found[rows] = columns.loc[rows, "image"].map(closest).astype(object)
    return found.where(found.notna(), None)


def _closest(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, str]:
    """For each of our pictures that has a copy among theirs: the most similar one."""
    if theirs.empty:
        return {}
    their_bits, their_families = bits(theirs["fingerprint"].tolist()), theirs["family"].to_numpy(object)
    found: dict[str, str] = {}
    for start in range(0, len(ours), AT_ONCE):
        part = ours.iloc[start : start + AT_ONCE]
        apart = differing_bits(bits(part["fingerprint"].tolist()), their_bits)
        apart[part["family"].to_numpy(object)[:, None] == their_families[None]] = BITS
        closest = apart.argmin(axis=1)
        for k in np.flatnonzero(apart.min(axis=1) <= MAX_HAMMING_DISTANCE):
            found[part["image"].iloc[k]] = str(theirs["image"].iloc[closest[k]])
    return found
