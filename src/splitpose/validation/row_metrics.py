"""Row metrics: the values that the validation rules check, computed for each row of the annotation table.

The functions are pure. Limits are defined in expectation_suites.py.
"""

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, INCOMING, JOINT_COLUMNS, MIN_COMMON_JOINTS, joints_of, source_of
from splitpose.skeleton import INDEX, LIMBS, TORSO
from splitpose.validation.coordinate_faults import CoordinateFaults, find_coordinate_faults
from splitpose.validation.image_scan import KEY_COLUMNS, format_size
from splitpose.validation.leakage import frame_distance, near_duplicate_of
from splitpose.validation.placeholders import identical_joints, placeholders


def add_row_metrics(
    table: pd.DataFrame, image_scan: pd.DataFrame, coordinate_faults: CoordinateFaults | None = None
) -> pd.DataFrame:
    """Add the row metrics to an annotation table (cast, with unique ids).

    `image_scan` is the result of `scan_images` for this table, `coordinate_faults` that of
    `find_coordinate_faults`, which is called if it is missing. The columns added are:

    - source: source of the row, see `source_of`.
    - image_error, image_warning, image_size: from `image_scan`; annotated_size: `width` and `height` in the
      format of image_size.
    - annotated_joints: number of joints with both coordinates; incomplete_joints: with only one.
    - torso_diameter: px from left shoulder to right hip; NaN without both.
    - distance_outside: px by which the joint furthest outside is beyond the centres of the border pixels, or 0.
    - longest_limb: length in torso diameters; NaN without a torso or any limb.
    - crossing: the total length by which both upper arms would be shorter with left and right elbow swapped, or
    both
      sides of the body with the hips swapped, in torso diameters; NaN without a torso or either pair.
    - asymmetry: ratio of the longer upper arm to the other one, or of the longer side of the body.
    - bbox_side: shorter side of the bounding box in px, negative if reversed, 0 if incomplete; NaN without a box or
      its area.
    - empty_bbox: corners of a bounding box without area, as text.
    - coordinate_error, coordinate_warning: see coordinate_faults.py.
    - identical_error, identical_warning, placeholder_error, placeholder_warning: see placeholders.py.
    - duplicate_of: id of the row that this one duplicates exactly (same image, same joints).
    - splits_of_image: number of splits with an instance in this row's image.
    - frame_distance, near_duplicate_of: see leakage.py.
    - nearest_instance: mean joint distance to the most similar other instance in the image, in torso diameters;
      NaN without a torso, or without an instance that has enough joints in common.
    """
    joints = joints_of(table)
    torso = _distance(joints, TORSO)
    sources = table["image"].map(source_of)
    faults = coordinate_faults or find_coordinate_faults(table)
    # A file whose coordinates are wrong as a whole has one cause, not another one for each row.
    plain = faults.errors.isna() & faults.warnings.isna()
    identical_error, identical_warning = identical_joints(table)
    placeholder_error, placeholder_warning = placeholders(table)
    boxes = table[BOX_COLUMNS].to_numpy(np.float64)
    scanned = table[KEY_COLUMNS].merge(image_scan, on=KEY_COLUMNS, how="left").set_index(table.index)
    return table.assign(
        source=sources,
        image_error=scanned["image_error"],
        image_warning=scanned["image_warning"],
        image_size=scanned["image_size"],
        annotated_size=[
            format_size(width, height) for width, height in zip(table["width"], table["height"], strict=True)
        ],
        annotated_joints=_annotated(joints).sum(axis=1),
        incomplete_joints=(np.isnan(joints).sum(axis=2) == 1).sum(axis=1),
        torso_diameter=torso,
        distance_outside=_distance_outside(joints, table[["width", "height"]].to_numpy(np.float64)),
        longest_limb=_longest_limb(joints, torso),
        crossing=_crossing(joints, torso),
        asymmetry=_asymmetry(joints),
        bbox_side=_bbox_side(boxes),
        empty_bbox=_empty_bbox(table),
        coordinate_error=faults.errors,
        coordinate_warning=faults.warnings,
        identical_error=identical_error.where(plain, None),
        identical_warning=identical_warning.where(plain, None),
        placeholder_error=placeholder_error.where(plain, None),
        placeholder_warning=placeholder_warning.where(plain, None),
        duplicate_of=_duplicate_of(table),
        splits_of_image=table.groupby("image")["split"].transform("nunique"),
        frame_distance=frame_distance(table),
        near_duplicate_of=near_duplicate_of(table, _sources_of_groups(table, sources), scanned["perceptual_hash"]),
        nearest_instance=_nearest_instance(table["image"], joints, torso),
    )


def _sources_of_groups(table: pd.DataFrame, sources: pd.Series) -> pd.Series:
    """Return the source of each row's group, which is an earlier one for corrected people (`REPLACES`)."""
    is_inherited = sources.str.startswith(f"{INCOMING}/") & ~table["group"].str.startswith(f"{INCOMING}/")
    return sources.mask(is_inherited, "raw")


def without_area(table: pd.DataFrame) -> np.ndarray:
    """Return (N,) whether the bounding box is complete and has no width or no height: none was drawn."""
    boxes = table[BOX_COLUMNS].to_numpy(np.float64)
    empty: np.ndarray = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] == boxes[:, :2]).any(axis=1)
    return empty


def _empty_bbox(table: pd.DataFrame) -> pd.Series:
    """Return the corners of boxes without area as text, None for other rows."""
    corners = [", ".join(f"{edge:g}" for edge in box) for box in table[BOX_COLUMNS].to_numpy(np.float64)]
    return pd.Series(corners, index=table.index, dtype=object).where(without_area(table), None)


def _annotated(joints: np.ndarray) -> np.ndarray:
    """Return (N, K) bool, whether each joint has both coordinates."""
    annotated: np.ndarray = ~np.isnan(joints).any(axis=-1)
    return annotated


def _distance(joints: np.ndarray, pair: tuple[str, str]) -> np.ndarray:
    """Return the distance (N,) in px between two joints, NaN where one is not annotated."""
    distance: np.ndarray = np.linalg.norm(joints[:, INDEX[pair[0]]] - joints[:, INDEX[pair[1]]], axis=-1)
    return distance


def _distance_outside(joints: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return (N,) px beyond [0, size - 1], from joints (N, K, 2) and sizes (N, 2)."""
    distances = np.nan_to_num(np.maximum(-joints, joints - (sizes[:, None] - 1)), nan=0.0, posinf=np.inf)
    furthest: np.ndarray = distances.max(axis=(1, 2), initial=0.0)
    return furthest


def _longest_limb(joints: np.ndarray, torso: np.ndarray) -> np.ndarray:
    """Return (N,) in torso diameters; NaN for a torso of 0 px, where a ratio is meaningless."""
    lengths = np.stack([_distance(joints, limb) for limb in LIMBS])
    longest: np.ndarray = np.fmax.reduce(lengths) / np.where(torso > 0, torso, np.nan)
    return longest


def _crossing(joints: np.ndarray, torso: np.ndarray) -> np.ndarray:
    """Return (N,) in torso diameters, negative where left and right are consistent."""
    gains = [
        _distance(joints, ("lsho", f"l{end}"))
        + _distance(joints, ("rsho", f"r{end}"))
        - _distance(joints, ("lsho", f"r{end}"))
        - _distance(joints, ("rsho", f"l{end}"))
        for end in ("elb", "hip")
    ]
    crossing: np.ndarray = np.fmax(*gains) / np.where(torso > 0, torso, np.nan)
    return crossing


def _asymmetry(joints: np.ndarray) -> np.ndarray:
    """Return (N,) from 1; infinite where one of the two lengths is 0."""
    pairs = [
        (_distance(joints, ("lsho", f"l{end}")), _distance(joints, ("rsho", f"r{end}"))) for end in ("elb", "hip")
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = [np.maximum(left, right) / np.minimum(left, right) for left, right in pairs]
    asymmetry: np.ndarray = np.fmax(*ratios)
    return asymmetry


def _bbox_side(boxes: np.ndarray) -> np.ndarray:
    """Return the shorter side (N,) in px of boxes (N, 4)."""
    sides = boxes[:, 2:] - boxes[:, :2]
    missing = np.isnan(boxes)
    shorter = np.where((sides == 0).any(axis=1), np.nan, sides.min(axis=1))
    return np.where(missing.any(axis=1) & ~missing.all(axis=1), 0.0, shorter)


def _duplicate_of(table: pd.DataFrame) -> pd.Series:
    """Return, for each duplicate, the id of the row that is kept.

    Among equal rows, one in test is kept, or else one in val, so that no training row equals a scored one.
    """
    ordered = table.sort_values(
        "split", key=lambda split: split.map({"test": 0, "val": 1, "train": 2}), kind="stable"
    )
    kept = ordered.groupby(["image", *JOINT_COLUMNS], dropna=False, sort=False)["id"].transform("first")
    return kept.astype(object).where(kept != ordered["id"], None).reindex(table.index)


def _nearest_instance(images: pd.Series, joints: np.ndarray, torso: np.ndarray) -> np.ndarray:
    """Return (N,) mean joint distances to the most similar other instance in the image, in own torso diameters."""
    nearest = np.full(len(joints), np.nan)
    for rows in images.groupby(images).indices.values():
        instances = joints[rows]
        common = _annotated(instances)[:, None] & _annotated(instances)[None]
        with np.errstate(invalid="ignore"):  # infinite coordinates are detected by `distance_outside`
            distances = np.linalg.norm(instances[:, None] - instances[None], axis=-1)
        total = np.where(common, distances, 0.0).sum(axis=-1)
        count = common.sum(axis=-1)
        np.fill_diagonal(count, 0)  # an instance is not compared with itself
        mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count >= MIN_COMMON_JOINTS)
        nearest[rows] = np.fmin.reduce(mean)
    return nearest / np.where(torso > 0, torso, np.nan)
