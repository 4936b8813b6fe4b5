"""A whole person painted around 11 joints."""

import numpy as np

from splitpose.skeleton import INDEX, JOINTS
from splitpose.synthetic import body, head
from splitpose.synthetic.appearance import Look
from splitpose.synthetic.lighting import Light
from splitpose.synthetic.paint import Canvas
from splitpose.synthetic.poses import torso_px


def paint(picture: np.ndarray, joints: np.ndarray, look: Look, light: Light, rng: np.random.Generator) -> None:
    """Paint a person with `joints` (K, 2) in px onto `picture` (H, W, 3) uint8, in place.

    From back to front: legs, hair behind, an arm held behind the back, neck, torso, head, arms, hands.
    """
    at = {name: joints[INDEX[name]] for name in JOINTS}
    unit = torso_px(joints)
    canvas = Canvas(picture)
    face = head.pose(at, unit)
    body.legs(canvas, at, unit, look, light, rng.uniform(-0.12, 0.12, 2))
    head.back(canvas, face, look, light)
    behind = {side: _wrist_on_torso(at, side) and rng.random() < 0.12 for side in "lr"}
    order = "lr" if rng.random() < 0.5 else "rl"
    turns = dict(zip("lr", rng.normal(0, 0.35, 2), strict=True))

    def arm(side: str) -> None:
        points = np.stack([at[f"{side}sho"], at[f"{side}elb"], at[f"{side}wri"]])
        body.arm(canvas, points, unit, look, light, turns[side], 1 if side == "l" else -1)

    for side in order:
        if behind[side]:
            arm(side)
    body.neck(canvas, at, face.chin(), unit, look, light)
    body.torso(canvas, at, unit, look, light, int(rng.integers(600)))
    chin = face.chin()
    body.cast_round_shadow(canvas, chin + np.array([0, 0.02 * unit]), 0.15 * unit, 0.5)
    head.front(canvas, face, look, light)
    for side in order:
        if not behind[side]:
            arm(side)


def _wrist_on_torso(at: dict[str, np.ndarray], side: str) -> bool:
    left, right = sorted([at["lhip"][0], at["rhip"][0]])
    low = (at["lsho"][1] + at["lhip"][1]) / 2
    return bool(left < at[f"{side}wri"][0] < right and at[f"{side}wri"][1] > low)
