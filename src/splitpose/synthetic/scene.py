"""Synthetic scenes: background, people and foreground objects, in the style of a film."""

import numpy as np

from splitpose.skeleton import INDEX
from splitpose.synthetic import appearance, background, camera, figure, lighting, poses
from splitpose.synthetic.camera import FilmStyle
from splitpose.synthetic.poses import torso_px

BACKGROUND_BLURS = (0.7, 1.5, 2.5, 4.0, 6.0)
"""Standard deviations of the background's blur, px, equally probable."""

FOREGROUND_PROB = 0.3
"""Probability of an object in front of the people."""


def render_scene(rng: np.random.Generator, style: FilmStyle, people: int) -> tuple[np.ndarray, np.ndarray]:
    """Render an image, (480, 720, 3) uint8, and return it with the joints of its people, (people, K, 2) in px."""
    joints = _sample_separate_poses(rng, style, people)
    light = lighting.sample_light(rng)
    image = background.render_background(rng)
    for _ in range(rng.choice([0, 0, 0, 0, 1, 1, 2])):
        _draw_bystander(image, joints, light, rng)
    image = background.defocus(image, float(rng.choice(BACKGROUND_BLURS)))
    for person in sorted(joints, key=torso_px):
        figure.draw_person(image, person, appearance.sample_appearance(rng), light, rng)
    if rng.random() < FOREGROUND_PROB:
        chests = joints[:, INDEX["lsho"], 1] * 0.4 + joints[:, INDEX["lhip"], 1] * 0.6
        image = background.add_foreground(image, rng, float(chests.max()))
    return camera.apply_film_style(image, style, rng), joints


def render_empty_scene(rng: np.random.Generator) -> np.ndarray:
    """Render an image without people, (480, 720, 3) uint8, in a random film's style."""
    style = camera.sample_film_style(rng)
    image = background.defocus(background.render_background(rng), float(rng.choice(BACKGROUND_BLURS)))
    if rng.random() < FOREGROUND_PROB:
        image = background.add_foreground(image, rng, float(rng.uniform(0.5, 0.8) * poses.HEIGHT))
    return camera.apply_film_style(image, style, rng)


def _sample_separate_poses(rng: np.random.Generator, style: FilmStyle, people: int) -> np.ndarray:
    """Sample the poses of the annotated people, (people, K, 2) in px; no person occludes another person's torso."""
    while True:
        joints = np.stack([poses.sample_placed_pose(rng, *style.visible_rows()) for _ in range(people)])
        if people == 1 or _are_separate(joints[0], joints[1]):
            return joints


def _are_separate(joints: np.ndarray, others: np.ndarray) -> bool:
    gap = abs(joints.mean(axis=0)[0] - others.mean(axis=0)[0])
    return bool(gap > 0.45 * (torso_px(joints) + torso_px(others)))


def _draw_bystander(image: np.ndarray, joints: np.ndarray, light: lighting.Light, rng: np.random.Generator) -> None:
    """Draw a smaller person without annotation next to the others, if there is enough space."""
    size = rng.uniform(0.45, 0.85) * min(torso_px(person) for person in joints)
    centre = np.array([rng.uniform(-20, poses.WIDTH + 20), rng.uniform(180, 300)])
    bystander = centre + size * poses.sample_pose(rng)
    if all(_are_separate(bystander, person) for person in joints):
        figure.draw_person(image, bystander, appearance.sample_appearance(rng), light, rng)
