"""Poses drawn from FLIC's statistics: mean and covariance of its 3,987 training poses in torso units."""

import json
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np

from splitpose.skeleton import INDEX, JOINTS, LIMBS, TORSO

WIDTH, HEIGHT = 720, 480
"""Size of FLIC's pictures, px."""

STATISTICS = Path(__file__).parent / "pose_statistics.json"
MARGIN = 4.0
"""No annotated joint lies nearer to the picture's edge, px; eyes keep room for the forehead."""

SHORTEST = {
    "upper arm": 0.16,
    "forearm": 0.10,
    "shoulders": 0.42,
    "side": 0.6,
    "hips": 0.36,
    "eye to nose": 0.03,
}
LONGEST = {
    "upper arm": 0.72,
    "forearm": 0.66,
    "shoulders": 0.85,
    "side": 1.05,
    "hips": 0.68,
    "eye to nose": 0.18,
}
_LIMB_KINDS = ["upper arm", "forearm"] * 2 + [
    "shoulders",
    "side",
    "side",
    "hips",
    "eye to nose",
    "eye to nose",
]
"""Kind of each of skeleton.LIMBS, for the lengths in torso units beyond which a pose is absurd."""


@cache
def _statistics() -> dict[str, np.ndarray]:
    content = json.loads(STATISTICS.read_text())
    # The origin is the mean of four of the joints, so the covariance has no full rank and no Cholesky root.
    variances, axes = np.linalg.eigh(np.array(content["covariance"]))
    percentiles = {float(share): size for share, size in content["torso_px_percentiles"].items()}
    return {
        "mean": np.array(content["mean"]),
        "root": axes * np.sqrt(np.maximum(variances, 0)),
        "torso_shares": np.array(sorted(percentiles)) / 100,
        "torso_px": np.array([percentiles[share] for share in sorted(percentiles)]),
        "centre_mean": np.array(content["centre_px_mean"]),
        "centre_std": np.array(content["centre_px_std"]),
    }


def shape(rng: np.random.Generator) -> np.ndarray:
    """A plausible pose, (K, 2) in torso units around the mean of shoulders and hips."""
    numbers = _statistics()
    while True:
        joints = (numbers["mean"] + numbers["root"] @ rng.standard_normal(2 * len(JOINTS))).reshape(-1, 2)
        if plausible(joints):
            return joints


def plausible(joints: np.ndarray) -> bool:
    """Whether the lengths of `joints`, (K, 2) in torso units, are those of a person who faces the camera."""
    lengths = [float(np.linalg.norm(joints[INDEX[a]] - joints[INDEX[b]])) for a, b in LIMBS]
    usual = all(
        SHORTEST[kind] <= length <= LONGEST[kind] for kind, length in zip(_LIMB_KINDS, lengths, strict=True)
    )
    eyes = joints[INDEX["leye"]] - joints[INDEX["reye"]]
    nose = joints[INDEX["nose"]] - (joints[INDEX["leye"]] + joints[INDEX["reye"]]) / 2
    upright = 0.06 <= eyes[0] <= 0.16 and abs(eyes[1]) <= 0.45 * eyes[0]
    face = 0.045 <= nose[1] <= 0.11 and abs(nose[0]) <= 0.055
    neck = (joints[INDEX["lsho"], 1] + joints[INDEX["rsho"], 1]) / 2 - joints[INDEX["nose"], 1]
    return bool(usual and upright and face and 0.17 <= neck <= 0.42)


def torso_px(joints: np.ndarray) -> float:
    """Torso diameter of `joints`, (K, 2) in px."""
    return float(np.linalg.norm(joints[INDEX[TORSO[0]]] - joints[INDEX[TORSO[1]]]))


def place(rng: np.random.Generator, top: float, bottom: float) -> np.ndarray:
    """A pose in the picture, (K, 2) in px; every joint lies inside, between the rows `top` and `bottom`."""
    numbers = _statistics()
    for attempt in count():
        # A size is given up late: sizes that fit at once are mostly small ones.
        if attempt % 30 == 0:
            size = np.interp(rng.random(), numbers["torso_shares"], numbers["torso_px"])
        centre = numbers["centre_mean"] + numbers["centre_std"] * rng.standard_normal(2)
        joints = centre + size * shape(rng)
        low, high = joints.min(axis=0), joints.max(axis=0)
        if (
            low[0] >= MARGIN
            and high[0] <= WIDTH - MARGIN
            and low[1] >= top + 0.22 * size
            and high[1] <= bottom - MARGIN
        ):
            return joints
    raise AssertionError("unreachable")
