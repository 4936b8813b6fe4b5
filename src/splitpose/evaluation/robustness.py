"""How a trained model behaves where the answer is known: on mirrored, shifted, darker and blurrier crops.

A model that learnt anything follows what happens to its picture. One whose codec is off, whose axes are swapped or
whose sides are not, does not; each bound stands between the two. Bounds tell what is broken, figures what is good.

Legend: N people, crops (N, S, S, 3) uint8, K joints in crop px; pixel centres are at integers, so x = 0 and
x = S - 1 trade places in the mirror.
"""

from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np

from splitpose.errors import InputError
from splitpose.evaluation.pck import normalised_errors, pck, torso_diameter
from splitpose.skeleton import FLIP_INDICES, TORSO

JointsOf = Callable[[np.ndarray], np.ndarray]
"""The model: crops (N, S, S, 3) uint8 -> joints (N, K, 2) px of the crop."""

SIDE = 96
"""Side of a crop, px, that SHIFTS and BLURS are meant for; they grow with the crop."""

SHIFTS = (2, 4, 8)
"""px to the right and, as many, up: of opposite sign, so that swapped axes show."""

GAINS = (1.0, 0.8, 0.6, 0.4)
"""What the crop's levels are multiplied by."""

BLURS = (0.0, 1.0, 2.0, 3.0)
"""Standard deviation of the Gaussian, px."""

MIRRORED_MEDIAN = 0.2
"""Torso diameters, as PCK's. Where sides are not swapped only the nose stays, and the eyes, which are about 0.1
apart: 3 of 11 joints are within 0.2. With swapped axes or a codec off by a factor of 2 the median is about 1; of
models that were trained for minutes it was below 0.1."""

FOLLOWED = (0.25, 1.5)
"""Share of the largest shift that joints follow. 1 is right. Swapped axes give -1, a model that does not look 0, a
codec that doubles 2. A heatmap model that was trained for minutes gave 0.5, drawn to where joints usually are."""

OF_MEAN_POSE = 0.5
"""Share of the mean pose's PCK that crops as they are must reach. Models that were trained for minutes scored 0.95
to 1.1 of it, with swapped axes 0.15, with a codec off by a factor of 2 nothing."""

LARGEST_FALL = 20.0
"""Points of PCK@0.2 that one step may cost. Models that were trained for minutes lost 5; what falls at once from
where FLIC's models are to the mean pose loses about 20, what falls to nothing far more."""

LARGEST_RISE = 5.0
"""Points of PCK@0.2 that one step may add: chance. More says that the model was made for other pictures."""


def behaviour(
    joints_of: JointsOf, crops: np.ndarray, truth: np.ndarray, torso: tuple[str, str] = TORSO
) -> dict[str, Any]:
    """What the model does on changed crops, beside what it does on the crops as they are.

    Args:
        joints_of: the model.
        crops: (N, S, S, 3) uint8.
        truth: (N, K, 2) px of the crop, NaN where not annotated; distances are told of annotated joints, in torso
            diameters of the truth.
        torso: the two joints of the torso diameter.

    Returns:
        {"n", "mirrored", "shifted", "darker", "blurrier"}: each of the last four as its function returns it, with
        "bound", in words, and "holds", whether it is kept.

    Raises InputError where nobody's torso can be measured.
    """
    if not np.isfinite(torso_diameter(truth, torso)).any():
        raise InputError(
            f"behaviour: nobody has both {torso[0]} and {torso[1]}; the torso is measured between them"
        )
    plain = joints_of(crops)
    return {
        "n": len(crops),
        "mirrored": mirrored(joints_of, crops, plain, truth, torso),
        "shifted": shifted(joints_of, crops, plain, truth, torso),
        "darker": darker(joints_of, crops, truth, torso),
        "blurrier": blurrier(joints_of, crops, truth, torso),
    }


def mirrored(
    joints_of: JointsOf, crops: np.ndarray, plain: np.ndarray, truth: np.ndarray, torso: tuple[str, str] = TORSO
) -> dict[str, Any]:
    """How far the joints of mirrored crops, mirrored back and with sides swapped, are from the plain ones.

    Returns {"median": torso diameters, "within": {"0.1", "0.2": percent of the joints}, "bound", "holds"}.
    """
    back = joints_of(np.ascontiguousarray(crops[:, :, ::-1]))[:, FLIP_INDICES] * [-1, 1] + [crops.shape[2] - 1, 0]
    figures = _distances(plain, back, truth, torso)
    bound = f"median at most {MIRRORED_MEDIAN} torso diameters"
    return {**figures, "bound": bound, "holds": figures["median"] <= MIRRORED_MEDIAN}


def shifted(
    joints_of: JointsOf, crops: np.ndarray, plain: np.ndarray, truth: np.ndarray, torso: tuple[str, str] = TORSO
) -> dict[str, Any]:
    """How far the joints of shifted crops, shifted back, are from the plain ones.

    The crop's edge is repeated where nothing is known. Joints whose truth leaves the crop are not counted.

    Returns {"steps": {px at a side of 96: {"px", "followed": median share of the shift, "median", "within": as of
    `mirrored`}}, "bound", "holds"}.
    """
    size = crops.shape[1]
    steps = {}
    for shift in SHIFTS:
        px = max(1, round(shift * size / SIDE))
        by = np.array([px, -px])
        inside = ((truth + by >= 0) & (truth + by <= size - 1)).all(axis=-1, keepdims=True)
        counted = np.where(inside, truth, np.nan)
        moved = joints_of(_shifted(crops, px))
        followed = ((moved - plain) @ by / (by @ by))[inside[..., 0]]
        figures = _distances(plain, moved - by, counted, torso)
        steps[f"{shift}"] = {"px": px, "followed": _rounded(np.median(followed)), **figures}
    low, high = FOLLOWED
    largest = steps[f"{max(SHIFTS)}"]["followed"]
    bound = f"joints follow the largest shift by {low} to {high} of it"
    return {"steps": steps, "bound": bound, "holds": low <= largest <= high}


def darker(
    joints_of: JointsOf, crops: np.ndarray, truth: np.ndarray, torso: tuple[str, str] = TORSO
) -> dict[str, Any]:
    """PCK@0.2 of crops that get darker; see `_falls`."""
    levels = np.arange(256)
    tables = {gain: np.rint(levels * gain).astype(np.uint8) for gain in GAINS}
    return _falls(joints_of, ((gain, table[crops]) for gain, table in tables.items()), truth, torso)


def blurrier(
    joints_of: JointsOf, crops: np.ndarray, truth: np.ndarray, torso: tuple[str, str] = TORSO
) -> dict[str, Any]:
    """PCK@0.2 of crops that get blurrier; see `_falls`."""
    return _falls(joints_of, ((blur, _blurred(crops, blur)) for blur in BLURS), truth, torso)


def _falls(
    joints_of: JointsOf, steps: Iterable[tuple[float, np.ndarray]], truth: np.ndarray, torso: tuple[str, str]
) -> dict[str, Any]:
    """Whether PCK@0.2 falls smoothly from crops as they are, the first step, to the last.

    Returns {"pck_0.2": {step: mean of the joints, percent}, "mean_pose": what the mean of all true poses scores,
    which needs no model, "bound", "holds"}.
    """

    def score(joints: np.ndarray) -> float:
        return float(np.nanmean(pck(normalised_errors(truth, joints, torso), 0.2)))

    found = {f"{step:g}": score(joints_of(changed)) for step, changed in steps}
    with np.errstate(invalid="ignore"):  # a joint that nobody has
        mean = np.nansum(truth, axis=0) / np.isfinite(truth).sum(axis=0)
    mean_pose = score(np.broadcast_to(mean, truth.shape))
    values = list(found.values())
    changes = np.diff(values)
    starts = values[0] >= OF_MEAN_POSE * mean_pose
    smooth = ((changes >= -LARGEST_FALL) & (changes <= LARGEST_RISE)).all()
    return {
        "pck_0.2": {step: _rounded(value) for step, value in found.items()},
        "mean_pose": _rounded(mean_pose),
        "bound": f"unchanged at least {OF_MEAN_POSE} of the mean pose's; then no step loses more than "
        f"{LARGEST_FALL:g} points or gains more than {LARGEST_RISE:g}",
        "holds": bool(starts and smooth),
    }


def _distances(plain: np.ndarray, other: np.ndarray, truth: np.ndarray, torso: tuple[str, str]) -> dict[str, Any]:
    """How far two predictions are apart, of the joints that `truth` has: {"median", "within"}."""
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.linalg.norm(plain - other, axis=-1) / torso_diameter(truth, torso)[:, None]
    known = apart[np.isfinite(apart) & np.isfinite(truth).all(axis=-1)]
    within = {f"{at:g}": _rounded(100 * np.mean(known <= at)) for at in (0.1, 0.2)}
    return {"median": _rounded(np.median(known)), "within": within}


def _shifted(crops: np.ndarray, px: int) -> np.ndarray:
    """The crops' content moved `px` to the right and up."""
    wider = np.pad(crops, ((0, 0), (0, px), (px, 0), (0, 0)), mode="edge")
    return np.ascontiguousarray(wider[:, px:, : crops.shape[2]])


def _blurred(crops: np.ndarray, blur: float) -> np.ndarray:
    if blur == 0:
        return crops
    sigma = blur * crops.shape[1] / SIDE
    return np.stack([cv2.GaussianBlur(crop, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) for crop in crops])


def _rounded(value: Any) -> float:
    return round(float(value), 4)
