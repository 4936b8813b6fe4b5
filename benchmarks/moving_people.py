"""Videos of rendered people who move, with every joint of every frame known; for the other benchmarks here."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from splitpose.inference import video_io
from splitpose.synthetic import appearance, background, camera, figure, lighting, poses

SECONDS_A_POSE = 1.2
"""From one pose to the next; about a second is how long a quick gesture takes."""

SIZES = (90, 190)
"""Smallest and largest torso, px."""


@dataclass(frozen=True)
class Walk:
    """Joints (F, K, 2) px of a person in each frame."""

    joints: np.ndarray

    @property
    def box(self) -> np.ndarray:
        """(4,) x0 y0 x1 y1 px of the joints in the first frame."""
        return np.concatenate([self.joints[0].min(axis=0), self.joints[0].max(axis=0)])


def walk(rng: np.random.Generator, frames: int, rate: float, across: tuple[float, float] = (0.25, 0.75)) -> Walk:
    """A person who goes from pose to pose between two columns (shares of the picture's width)."""
    keys = int(np.ceil(frames / (rate * SECONDS_A_POSE))) + 2
    key_poses = np.stack([_in_frame(rng, across) for _ in range(keys)])
    at = np.arange(frames) / (rate * SECONDS_A_POSE)
    before = at.astype(int)
    eased = (1 - np.cos(np.pi * (at - before)))[:, None, None] / 2
    return Walk((1 - eased) * key_poses[before] + eased * key_poses[before + 1])


def frames_of(walks: list[Walk], seed: int) -> Iterator[np.ndarray]:
    """The frames, (480, 720, 3) uint8 BGR, each with grain of its own."""
    rng = np.random.default_rng([seed, 1])
    film, lamp = camera.sample_film_style(rng), lighting.sample_light(rng)
    scenery = background.defocus(background.render_background(rng), 2.5)
    looks = [appearance.sample_appearance(rng) for _ in walks]
    for number in range(len(walks[0].joints)):
        picture = scenery.copy()
        for person, each in enumerate(walks):
            # The same seed in all frames, or clothes would flicker.
            figure.draw_person(
                picture, each.joints[number], looks[person], lamp, np.random.default_rng([seed, 2, person])
            )
        yield camera.apply_film_style(picture, film, rng)


def write(path: Path, walks: list[Walk], rate: float, seed: int) -> None:
    """Write the video."""
    with video_io.written(path, rate, (poses.WIDTH, poses.HEIGHT)) as writer:
        for frame in frames_of(walks, seed):
            writer.write(frame)


def _in_frame(rng: np.random.Generator, across: tuple[float, float]) -> np.ndarray:
    """A pose in the picture, (K, 2) px."""
    while True:
        middle = np.array([rng.uniform(*across) * poses.WIDTH, rng.uniform(0.5, 0.65) * poses.HEIGHT])
        joints = middle + rng.uniform(*SIZES) * poses.sample_pose(rng)
        if (joints >= 20).all() and (joints <= [poses.WIDTH - 20, poses.HEIGHT - 10]).all():
            return joints
