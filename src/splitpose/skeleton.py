"""The 11 upper-body joints of FLIC: names, order, limbs and mirror pairs. The only place that knows them."""

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
"""Joint names in FLIC's order. Everywhere, axis K of an array of joints follows it."""

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
"""Pairs of joints that a drawing connects."""

PAIRS: tuple[tuple[str, str], ...] = (
    ("lsho", "rsho"),
    ("lelb", "relb"),
    ("lwri", "rwri"),
    ("lhip", "rhip"),
    ("leye", "reye"),
)
"""Joints that trade places when a picture is mirrored."""

TORSO: tuple[str, str] = ("lsho", "rhip")
"""The torso diameter of FLIC's protocol runs from left shoulder to right hip."""

INDEX: dict[str, int] = {name: k for k, name in enumerate(JOINTS)}

_PARTNER = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}

MIRROR: np.ndarray = np.array([INDEX[_PARTNER.get(name, name)] for name in JOINTS])
"""(K,) index: `joints[MIRROR]` has left and right swapped."""


def observer_centric(joints: np.ndarray) -> np.ndarray:
    """Sides of all paired joints swapped where the right shoulder stands right of the left one.

    `joints` is (N, K, 2) in px; so is what comes back. Published figures on FLIC count so.
    Rows without both shoulders stay as they are.
    """
    turned = joints[:, INDEX["rsho"], 0] > joints[:, INDEX["lsho"], 0]
    return np.where(turned[:, None, None], joints[:, MIRROR], joints)
