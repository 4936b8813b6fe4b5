"""One still: a place, people in it, things before them, seen through a film's camera."""

import numpy as np

from splitpose.skeleton import INDEX
from splitpose.synthetic import appearance, background, camera, figure, lighting, poses
from splitpose.synthetic.camera import Film
from splitpose.synthetic.poses import torso_px


def draw(rng: np.random.Generator, film: Film, people: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture, (480, 720, 3) uint8, and its annotated people, (people, K, 2) in px."""
    joints = _cast(rng, film, people)
    lamp = lighting.draw(rng)
    picture = background.draw(rng)
    for _ in range(rng.choice([0, 0, 0, 0, 1, 1, 2])):
        _bystander(picture, joints, lamp, rng)
    picture = background.out_of_focus(picture, float(rng.choice([0.7, 1.5, 2.5, 4.0, 6.0])))
    for person in sorted(joints, key=torso_px):
        figure.paint(picture, person, appearance.draw(rng), lamp, rng)
    if rng.random() < 0.3:
        chests = joints[:, INDEX["lsho"], 1] * 0.4 + joints[:, INDEX["lhip"], 1] * 0.6
        picture = background.foreground(picture, rng, float(chests.max()))
    return camera.shoot(picture, film, rng), joints


def _cast(rng: np.random.Generator, film: Film, people: int) -> np.ndarray:
    """Poses of the annotated people, none of whom hides another's torso."""
    while True:
        joints = np.stack([poses.place(rng, *film.rows()) for _ in range(people)])
        if people == 1 or _apart(joints[0], joints[1]):
            return joints


def _apart(one: np.ndarray, other: np.ndarray) -> bool:
    gap = abs(one.mean(axis=0)[0] - other.mean(axis=0)[0])
    return bool(gap > 0.45 * (torso_px(one) + torso_px(other)))


def _bystander(picture: np.ndarray, joints: np.ndarray, lamp: lighting.Light, rng: np.random.Generator) -> None:
    """Somebody whom nobody annotated, smaller and beside the others; left out where there is no room."""
    size = rng.uniform(0.45, 0.85) * min(torso_px(person) for person in joints)
    centre = np.array([rng.uniform(-20, poses.WIDTH + 20), rng.uniform(180, 300)])
    person = centre + size * poses.shape(rng)
    if all(_apart(person, other) for other in joints):
        figure.paint(picture, person, appearance.draw(rng), lamp, rng)
