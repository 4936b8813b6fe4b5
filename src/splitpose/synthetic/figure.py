"""Drawing of a complete person around the 11 joints."""

import numpy as np

from splitpose.skeleton import INDEX, JOINTS
from splitpose.synthetic import body, head, torso
from splitpose.synthetic.appearance import Appearance
from splitpose.synthetic.canvas import Canvas
from splitpose.synthetic.lighting import Light
from splitpose.synthetic.poses import torso_px


def draw_person(
    image: np.ndarray, joints: np.ndarray, appearance: Appearance, light: Light, rng: np.random.Generator
) -> None:
    """Draw a person with `joints` (K, 2) in px onto `image` (H, W, 3) uint8, in place.

    From back to front: legs, long hair, an arm held behind the back, neck, torso, head, arms with hands.
    """
    by_name = {name: joints[INDEX[name]] for name in JOINTS}
    unit = torso_px(joints)
    canvas = Canvas(image)
    face = head.fit_head(by_name, unit)
    body.draw_legs(canvas, by_name, unit, appearance, light, rng.uniform(-0.12, 0.12, 2))
    head.draw_back_hair(canvas, face, appearance, light)
    is_behind = {side: _wrist_on_torso(by_name, side) and rng.random() < 0.12 for side in "lr"}
    order = "lr" if rng.random() < 0.5 else "rl"
    turns = dict(zip("lr", rng.normal(0, 0.35, 2), strict=True))

    def draw_arm(side: str) -> None:
        points = np.stack([by_name[f"{side}sho"], by_name[f"{side}elb"], by_name[f"{side}wri"]])
        body.draw_arm(canvas, points, unit, appearance, light, turns[side], 1 if side == "l" else -1)

    for side in order:
        if is_behind[side]:
            draw_arm(side)
    body.draw_neck(canvas, by_name, face.chin(), unit, appearance, light)
    torso.draw_torso(canvas, by_name, unit, appearance, light, int(rng.integers(600)))
    body.cast_round_shadow(canvas, face.chin() + np.array([0, 0.02 * unit]), 0.15 * unit, 0.5)
    head.draw_head(canvas, face, appearance, light)
    for side in order:
        if not is_behind[side]:
            draw_arm(side)


def _wrist_on_torso(joints: dict[str, np.ndarray], side: str) -> bool:
    """Return whether a wrist is in front of or behind the lower half of the torso."""
    left, right = sorted([joints["lhip"][0], joints["rhip"][0]])
    middle = (joints["lsho"][1] + joints["lhip"][1]) / 2
    x, y = joints[f"{side}wri"]
    return bool(left < x < right and y > middle)
