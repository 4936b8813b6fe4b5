"""Poses sampled from FLIC's statistics: mean and covariance of its 3,987 training poses in torso units."""

import json
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np

from splitpose.skeleton import INDEX, JOINTS, LIMBS, TORSO

WIDTH, HEIGHT = 720, 480
"""Size of FLIC's images, px."""

STATISTICS = Path(__file__).parent / "pose_statistics.json"
MARGIN = 4.0
"""Smallest distance of an annotated joint from the edge of the image, px."""

MIN_LENGTHS = {
    "upper arm": 0.16,
    "forearm": 0.10,
    "shoulders": 0.42,
    "side": 0.6,
    "hips": 0.36,
    "eye to nose": 0.03,
}
MAX_LENGTHS = {
    "upper arm": 0.72,
    "forearm": 0.66,
    "shoulders": 0.85,
    "side": 1.05,
    "hips": 0.68,
    "eye to nose": 0.18,
}
"""Minimum and maximum lengths of limbs in plausible poses, in torso units, by kind of limb."""

_LIMB_KINDS = ["upper arm", "forearm"] * 2 + [
    "shoulders",
    "side",
    "side",
    "hips",
    "eye to nose",
    "eye to nose",
]
"""Kind of each limb in skeleton.LIMBS."""


@cache
def _statistics() -> dict[str, np.ndarray]:
    content = json.loads(STATISTICS.read_text())
    # The origin is the mean of four of the joints, so the covariance is singular and has no Cholesky root.
    variances, axes = np.linalg.eigh(np.array(content["covariance"]))
    percentiles = {float(percentile): size for percentile, size in content["torso_px_percentiles"].items()}
    return {
        "mean": np.array(content["mean"]),
        "root": axes * np.sqrt(np.maximum(variances, 0)),
        "torso_quantiles": np.array(sorted(percentiles)) / 100,
        "torso_px": np.array([percentiles[percentile] for percentile in sorted(percentiles)]),
        "centre_mean": np.array(content["centre_px_mean"]),
        "centre_std": np.array(content["centre_px_std"]),
    }


def sample_pose(rng: np.random.Generator) -> np.ndarray:
    """Sample a plausible pose, (K, 2) in torso units around the mean of shoulders and hips."""
    statistics = _statistics()
    while True:
        noise = rng.standard_normal(2 * len(JOINTS))
        joints: np.ndarray = (statistics["mean"] + statistics["root"] @ noise).reshape(-1, 2)
        if is_plausible(joints):
            return joints


def is_plausible(joints: np.ndarray) -> bool:
    """Return whether `joints`, (K, 2) in torso units, have the proportions of a person facing the camera."""
    lengths = [float(np.linalg.norm(joints[INDEX[a]] - joints[INDEX[b]])) for a, b in LIMBS]
    has_plausible_limbs = all(
        MIN_LENGTHS[kind] <= length <= MAX_LENGTHS[kind] for kind, length in zip(_LIMB_KINDS, lengths, strict=True)
    )
    eyes = joints[INDEX["leye"]] - joints[INDEX["reye"]]
    nose = joints[INDEX["nose"]] - (joints[INDEX["leye"]] + joints[INDEX["reye"]]) / 2
    is_upright = 0.06 <= eyes[0] <= 0.16 and abs(eyes[1]) <= 0.45 * eyes[0]
    faces_camera = 0.045 <= nose[1] <= 0.11 and abs(nose[0]) <= 0.055
    neck = (joints[INDEX["lsho"], 1] + joints[INDEX["rsho"], 1]) / 2 - joints[INDEX["nose"], 1]
    return bool(has_plausible_limbs and is_upright and faces_camera and 0.17 <= neck <= 0.42)


def torso_px(joints: np.ndarray) -> float:
    """Return the torso diameter of `joints`, (K, 2) in px."""
    return float(np.linalg.norm(joints[INDEX[TORSO[0]]] - joints[INDEX[TORSO[1]]]))


def sample_placed_pose(rng: np.random.Generator, top: float, bottom: float) -> np.ndarray:
    """Sample a pose in the image, (K, 2) in px, with all joints inside and between the rows `top` and `bottom`."""
    statistics = _statistics()
    for attempt in count():
        # Each size is tried 30 times, because of the sizes that fit at the first attempt most are small.
        if attempt % 30 == 0:
            size = np.interp(rng.random(), statistics["torso_quantiles"], statistics["torso_px"])
        centre = statistics["centre_mean"] + statistics["centre_std"] * rng.standard_normal(2)
        joints: np.ndarray = centre + size * sample_pose(rng)
        low, high = joints.min(axis=0), joints.max(axis=0)
        if (
            low[0] >= MARGIN
            and high[0] <= WIDTH - MARGIN
            and low[1] >= top + 0.22 * size  # eyes are the highest joints and leave space for the forehead
            and high[1] <= bottom - MARGIN
        ):
            return joints
    raise AssertionError("unreachable")
