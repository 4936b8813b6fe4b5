"""Robustness of a trained model: flip and shift equivariance, and PCK on darkened and blurred crops.

If a crop is flipped or shifted, the joints that a trained model predicts move with it; with a wrong codec, swapped
axes or swapped sides they do not. The limits below detect such defects; they do not measure quality.

Legend: N instances, crops (N, S, S, 3) uint8, K joints in crop px; pixel centres are at integers, so a horizontal
flip exchanges x = 0 and x = S - 1.
"""

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np

from splitpose.errors import InputError
from splitpose.evaluation.pck import normalised_errors, pck, torso_diameter
from splitpose.skeleton import FLIP_INDICES, TORSO

PredictJoints = Callable[[np.ndarray], np.ndarray]
"""The model with its codec: crops (N, S, S, 3) uint8 -> joints (N, K, 2) crop px."""

REFERENCE_SIZE = 96
"""Crop size, px, that SHIFTS and BLURS refer to; they scale with the crop."""

SHIFTS = (2, 4, 8)
"""px to the right and, equally, up: the signs differ so that swapped axes are detected."""

GAINS = (1.0, 0.8, 0.6, 0.4)
"""Factors that pixel values are multiplied by."""

BLURS = (0.0, 1.0, 2.0, 3.0)
"""Standard deviations of the Gaussian blur, px."""

MAX_FLIP_MEDIAN = 0.2
"""Torso diameters, as in PCK. If sides are not swapped, only the nose and the eyes (about 0.1 apart) stay close: 3
of 11 joints within 0.2. With swapped axes or a codec off by a factor of 2 the median is about 1; for models trained
for minutes it was below 0.1."""

SHIFT_RATIO_RANGE = (0.25, 1.5)
"""Share of the largest shift that the joints must follow; 1 is ideal. Swapped axes result in -1, a model that
ignores its input in 0, a codec that doubles coordinates in 2. A heatmap model trained for minutes reached only 0.5,
because it prefers frequent joint positions."""

MIN_MEAN_POSE_RATIO = 0.5
"""Share of the mean pose's PCK that unchanged crops must reach. Models trained for minutes reached 0.95 to 1.1,
with swapped axes 0.15, with a codec off by a factor of 2, zero."""

MAX_STEP_LOSS = 20.0
"""Percentage points of PCK@0.2 that one step may lose. Models trained for minutes lost 5; a drop from the level of
models trained on FLIC to the mean pose is about 20, and a drop to zero is far larger."""

MAX_STEP_GAIN = 5.0
"""Percentage points of PCK@0.2 that one step may gain by chance. A larger gain indicates a defect."""


def measure_robustness(
    predict: PredictJoints,
    crops: np.ndarray,
    ground_truth: np.ndarray,
    torso: tuple[str, str] = TORSO,
    known: tuple[np.ndarray, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Measure how the model's joints change on modified crops.

    Args:
        predict: the model.
        crops: (N, S, S, 3) uint8.
        ground_truth: (N, K, 2) crop px, NaN where not annotated; distances are measured on annotated joints, in
            torso diameters of the ground truth.
        torso: the two joints of the torso diameter.
        known: the model's joints of the crops and of the horizontally flipped crops, if they are known already.

    Returns:
        {"n", "flip_equivariance", "shift_equivariance", "darkening", "blur"}: the last four as the functions of
        these names return them, with "criterion" (in words) and "passed".

    Raises:
        InputError: no instance has a torso diameter.
    """
    if not np.isfinite(torso_diameter(ground_truth, torso)).any():
        raise InputError(
            f"robustness: no test instance has both {torso[0]} and {torso[1]}, which the torso diameter requires"
        )
    reference, flipped = known or (predict(crops), predict(np.ascontiguousarray(crops[:, :, ::-1])))
    return {
        "n": len(crops),
        "flip_equivariance": flip_equivariance(flipped, crops.shape[2], reference, ground_truth, torso),
        "shift_equivariance": shift_equivariance(predict, crops, reference, ground_truth, torso),
        "darkening": darkening(predict, crops, reference, ground_truth, torso),
        "blur": blur(predict, crops, reference, ground_truth, torso),
    }


def flip_equivariance(
    flipped: np.ndarray,
    size: int,
    reference: np.ndarray,
    ground_truth: np.ndarray,
    torso: tuple[str, str] = TORSO,
) -> dict[str, Any]:
    """Measure how far the joints of horizontally flipped crops, flipped back, are from the `reference` joints.

    Args:
        flipped: (N, K, 2) the model's joints of the flipped crops.
        size: side of the crops, px.
        reference: (N, K, 2) the model's joints of the crops.
        ground_truth: as for `measure_robustness`.
        torso: as for `measure_robustness`.

    Returns:
        {"median": torso diameters, "within": {"0.1", "0.2": percent of joints}, "criterion", "passed"}.
    """
    flipped_back = flipped[:, FLIP_INDICES] * [-1, 1] + [size - 1, 0]
    distances = _summarise_distances(reference, flipped_back, ground_truth, torso)
    criterion = f"median at most {MAX_FLIP_MEDIAN} torso diameters"
    return {**distances, "criterion": criterion, "passed": distances["median"] <= MAX_FLIP_MEDIAN}


def shift_equivariance(
    predict: PredictJoints,
    crops: np.ndarray,
    reference: np.ndarray,
    ground_truth: np.ndarray,
    torso: tuple[str, str] = TORSO,
) -> dict[str, Any]:
    """Measure how far the joints of shifted crops, shifted back, are from the `reference` joints.

    The crop's edge pixels are repeated into the revealed area. Joints whose ground truth leaves the crop do not
    count.

    Returns:
        {"steps": {px at a crop size of 96: {"px", "shift_ratio": median share of the shift that joints follow,
        "median", "within": as for `flip_equivariance`}}, "criterion", "passed"}.
    """
    size = crops.shape[1]
    steps = {}
    for shift in SHIFTS:
        px = max(1, round(shift * size / REFERENCE_SIZE))
        offset = np.array([px, -px])
        shifted_truth = ground_truth + offset
        inside = ((shifted_truth >= 0) & (shifted_truth <= size - 1)).all(axis=-1, keepdims=True)
        counted = np.where(inside, ground_truth, np.nan)
        shifted = predict(_shift(crops, px))
        ratios = ((shifted - reference) @ offset / (offset @ offset))[inside[..., 0]]
        distances = _summarise_distances(reference, shifted - offset, counted, torso)
        steps[f"{shift}"] = {"px": px, "shift_ratio": _round(np.median(ratios)), **distances}
    low, high = SHIFT_RATIO_RANGE
    ratio = steps[f"{max(SHIFTS)}"]["shift_ratio"]
    criterion = f"joints move by {low} to {high} times the largest shift"
    return {"steps": steps, "criterion": criterion, "passed": low <= ratio <= high}


def darkening(
    predict: PredictJoints,
    crops: np.ndarray,
    reference: np.ndarray,
    ground_truth: np.ndarray,
    torso: tuple[str, str] = TORSO,
) -> dict[str, Any]:
    """Measure PCK@0.2 on increasingly dark crops; see `_measure_degradation`."""
    levels = np.arange(256)
    tables = {gain: np.rint(levels * gain).astype(np.uint8) for gain in GAINS}
    steps = ((gain, table[crops]) for gain, table in tables.items())
    return _measure_degradation(predict, steps, reference, ground_truth, torso)


def blur(
    predict: PredictJoints,
    crops: np.ndarray,
    reference: np.ndarray,
    ground_truth: np.ndarray,
    torso: tuple[str, str] = TORSO,
) -> dict[str, Any]:
    """Measure PCK@0.2 on increasingly blurred crops; see `_measure_degradation`."""
    steps = ((sigma, _blur(crops, sigma)) for sigma in BLURS)
    return _measure_degradation(predict, steps, reference, ground_truth, torso)


def _measure_degradation(
    predict: PredictJoints,
    steps: Iterator[tuple[float, np.ndarray]],
    reference: np.ndarray,
    ground_truth: np.ndarray,
    torso: tuple[str, str],
) -> dict[str, Any]:
    """Measure whether PCK@0.2 falls gradually from the unchanged crops (first step) to the strongest change.

    `reference` are the model's joints of the unchanged crops.

    Returns:
        {"pck_0.2": {step: mean over joints, percent}, "mean_pose": the PCK of the mean of all annotated poses,
        which needs no model, "criterion", "passed"}.
    """

    def score(joints: np.ndarray) -> float:
        return float(np.nanmean(pck(normalised_errors(ground_truth, joints, torso), 0.2)))

    unchanged, _ = next(steps)
    scores = {f"{unchanged:g}": score(reference)}
    scores |= {f"{step:g}": score(predict(changed)) for step, changed in steps}
    with np.errstate(invalid="ignore"):  # A joint that no instance has annotated has no mean.
        mean_joints = np.nansum(ground_truth, axis=0) / np.isfinite(ground_truth).sum(axis=0)
    mean_pose = score(np.broadcast_to(mean_joints, ground_truth.shape))
    values = list(scores.values())
    changes = np.diff(values)
    learned = values[0] >= MIN_MEAN_POSE_RATIO * mean_pose
    smooth = ((changes >= -MAX_STEP_LOSS) & (changes <= MAX_STEP_GAIN)).all()
    return {
        "pck_0.2": {step: _round(value) for step, value in scores.items()},
        "mean_pose": _round(mean_pose),
        "criterion": f"unchanged crops reach at least {MIN_MEAN_POSE_RATIO} of the mean pose's PCK; no step loses "
        f"more than {MAX_STEP_LOSS:g} points or gains more than {MAX_STEP_GAIN:g}",
        "passed": bool(learned and smooth),
    }


def _summarise_distances(
    reference: np.ndarray, other: np.ndarray, ground_truth: np.ndarray, torso: tuple[str, str]
) -> dict[str, Any]:
    """Summarise the distances between two predictions of the joints annotated in `ground_truth`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distances = np.linalg.norm(reference - other, axis=-1) / torso_diameter(ground_truth, torso)[:, None]
    known = distances[np.isfinite(distances) & np.isfinite(ground_truth).all(axis=-1)]
    within = {f"{limit:g}": _round(100 * np.mean(known <= limit)) for limit in (0.1, 0.2)}
    return {"median": _round(np.median(known)), "within": within}


def _shift(crops: np.ndarray, px: int) -> np.ndarray:
    """Shift the content of the crops by `px` to the right and up, repeating the edge pixels."""
    padded = np.pad(crops, ((0, 0), (0, px), (px, 0), (0, 0)), mode="edge")
    return np.ascontiguousarray(padded[:, px:, : crops.shape[2]])


def _blur(crops: np.ndarray, sigma: float) -> np.ndarray:
    """Blur the crops with a Gaussian of `sigma` px at REFERENCE_SIZE."""
    if sigma == 0:
        return crops
    scaled = sigma * crops.shape[1] / REFERENCE_SIZE
    return np.stack([cv2.GaussianBlur(crop, (0, 0), scaled, borderType=cv2.BORDER_REPLICATE) for crop in crops])


def _round(value: Any) -> float:
    return round(float(value), 4)
