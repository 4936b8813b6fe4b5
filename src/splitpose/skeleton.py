"""The 11 upper-body joints of FLIC: names, order, limbs and left-right pairs, defined only here."""

import numpy as np

JOINTS: tuple[str, ...] = (
    "lsho",
    "lelb",
    "lwri",
    "rsho",
    "relb",
    "rwri",
    "lhip",
    "rhip",
    "leye",
    "reye",
    "nose",
)
"""Joint names in FLIC's order, which axis K of every array of joints follows."""

FULL_NAMES: dict[str, str] = {
    "lsho": "left shoulder",
    "lelb": "left elbow",
    "lwri": "left wrist",
    "rsho": "right shoulder",
    "relb": "right elbow",
    "rwri": "right wrist",
    "lhip": "left hip",
    "rhip": "right hip",
    "leye": "left eye",
    "reye": "right eye",
    "nose": "nose",
}

LIMBS: tuple[tuple[str, str], ...] = (
    ("lsho", "lelb"),
    ("lelb", "lwri"),
    ("rsho", "relb"),
    ("relb", "rwri"),
    ("lsho", "rsho"),
    ("lsho", "lhip"),
    ("rsho", "rhip"),
    ("lhip", "rhip"),
    ("leye", "nose"),
    ("reye", "nose"),
)
"""Pairs of joints that are connected by a limb."""

PAIRS: tuple[tuple[str, str], ...] = (
    ("lsho", "rsho"),
    ("lelb", "relb"),
    ("lwri", "rwri"),
    ("lhip", "rhip"),
    ("leye", "reye"),
)
"""Joints that swap places when an image is flipped horizontally."""

TORSO: tuple[str, str] = ("lsho", "rhip")
"""The joints between which FLIC's protocol measures the torso diameter: left shoulder and right hip."""

INDEX: dict[str, int] = {name: k for k, name in enumerate(JOINTS)}

_PARTNER = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}

FLIP_INDICES: np.ndarray = np.array([INDEX[_PARTNER.get(name, name)] for name in JOINTS])
"""(K,) index: `joints[FLIP_INDICES]` has left and right swapped."""


def observer_centric(joints: np.ndarray) -> np.ndarray:
    """Return the joints with swapped sides for every person whose right shoulder is to the right of the left one.

    Published results on FLIC are observer-centric in this sense. Rows without both shoulders are unchanged.

    Args:
        joints: (N, K, 2) px.

    Returns:
        (N, K, 2) px.
    """
    is_swapped = joints[:, INDEX["rsho"], 0] > joints[:, INDEX["lsho"], 0]
    return np.where(is_swapped[:, None, None], joints[:, FLIP_INDICES], joints)
