"""Detection of leakage: images of scored rows that are close to images used for training.

Rows of val are compared with train, rows of test with train and val.
"""

import numpy as np
import pandas as pd

from splitpose.validation.near_duplicates import HASH_BITS, MAX_HAMMING_DISTANCE, hamming_distances, pack_hashes

REFERENCE_SPLITS = {"val": ["train"], "test": ["train", "val"]}
"""Splits that each scored split is compared with."""

CHUNK_SIZE = 64
"""Images that are compared with all others at a time, which limits the memory."""


def frame_distance(table: pd.DataFrame) -> pd.Series:
    """Return the distance, in frames, from each scored row to the closest training frame of its group.

    Images of a group are frames if their names end in a number. NaN for rows without such an image.
    """
    # A longer number is not a frame number, and exceeds the precision of float64.
    frame = table["image"].str.extract(r"(?<!\d)(\d{1,15})(?:\.[^./]*)?$")[0].astype(float)
    frames = table[["group", "split"]].assign(frame=frame).dropna().sort_values("frame", kind="stable")
    distance = pd.Series(np.nan, index=table.index)
    for split, references in REFERENCE_SPLITS.items():
        queries = frames[frames["split"] == split].reset_index(names="row")
        candidates = frames[frames["split"].isin(references)].assign(closest=lambda rows: rows["frame"])
        pairs = pd.merge_asof(
            queries, candidates[["group", "frame", "closest"]], on="frame", by="group", direction="nearest"
        )
        distance[pairs["row"]] = (pairs["frame"] - pairs["closest"]).abs().to_numpy()
    return distance


def near_duplicate_of(table: pd.DataFrame, sources: pd.Series, hashes: pd.Series) -> pd.Series:
    """Return, for each scored row, the training image that its image is a near duplicate of, or None.

    Images of the same group and source are not compared: frames of a film are similar, which `frame_distance` and
    the grouped splits take into account.

    Args:
        table: annotation table.
        sources: source of each row (see `source_of`).
        hashes: perceptual hash of each row's image; images without one match no other.
    """
    columns = table[["image", "split"]].assign(family=sources + "\n" + table["group"], hash=hashes)
    images = columns.dropna().drop_duplicates(["image", "split", "family"])
    duplicates = pd.Series(None, index=table.index, dtype=object)
    for split, references in REFERENCE_SPLITS.items():
        closest = _closest(images[images["split"] == split], images[images["split"].isin(references)])
        rows = (columns["split"] == split) & columns["hash"].notna()
        duplicates[rows] = columns.loc[rows, "image"].map(closest).astype(object)
    return duplicates.where(duplicates.notna(), None)


def _closest(queries: pd.DataFrame, candidates: pd.DataFrame) -> dict[str, str]:
    """Return the most similar candidate of each query image that has a near duplicate among the candidates."""
    if candidates.empty:
        return {}
    candidate_hashes = pack_hashes(candidates["hash"].tolist())
    candidate_families = candidates["family"].to_numpy(object)
    closest: dict[str, str] = {}
    for start in range(0, len(queries), CHUNK_SIZE):
        chunk = queries.iloc[start : start + CHUNK_SIZE]
        distances = hamming_distances(pack_hashes(chunk["hash"].tolist()), candidate_hashes)
        distances[chunk["family"].to_numpy(object)[:, None] == candidate_families[None]] = HASH_BITS
        best = distances.argmin(axis=1)
        for k in np.flatnonzero(distances.min(axis=1) <= MAX_HAMMING_DISTANCE):
            closest[chunk["image"].iloc[k]] = str(candidates["image"].iloc[best[k]])
    return closest
