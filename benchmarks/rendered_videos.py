"""Videos of rendered people who move, with the joints of every frame; used by the other benchmarks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from splitpose.inference.video_writer import video_writer
from splitpose.synthetic import appearance, background, camera, figure, lighting, poses

SECONDS_PER_POSE = 1.2
"""Time from one pose to the next; a quick gesture takes about a second."""

TORSO_PX = (90, 190)
"""Smallest and largest torso, px."""


@dataclass(frozen=True)
class Motion:
    """Joints (F, K, 2) px of a person in each frame."""

    joints: np.ndarray

    @property
    def bbox(self) -> np.ndarray:
        """(4,) x0 y0 x1 y1 px of the joints in the first frame."""
        return np.concatenate([self.joints[0].min(axis=0), self.joints[0].max(axis=0)])


def draw_motion(
    rng: np.random.Generator, frames: int, fps: float, columns: tuple[float, float] = (0.25, 0.75)
) -> Motion:
    """Draw a person who moves from pose to pose between two columns (fractions of the image's width)."""
    keys = int(np.ceil(frames / (fps * SECONDS_PER_POSE))) + 2
    key_poses = np.stack([_draw_pose(rng, columns) for _ in range(keys)])
    position = np.arange(frames) / (fps * SECONDS_PER_POSE)
    before = position.astype(int)
    eased = (1 - np.cos(np.pi * (position - before)))[:, None, None] / 2
    return Motion((1 - eased) * key_poses[before] + eased * key_poses[before + 1])


def render_frames(motions: list[Motion], seed: int) -> Iterator[np.ndarray]:
    """Yield the frames, (480, 720, 3) uint8 BGR, each with its own grain."""
    rng = np.random.default_rng([seed, 1])
    style, light = camera.sample_film_style(rng), lighting.sample_light(rng)
    scene = background.defocus(background.render_background(rng), 2.5)
    appearances = [appearance.sample_appearance(rng) for _ in motions]
    for number in range(len(motions[0].joints)):
        image = scene.copy()
        for person, motion in enumerate(motions):
            # The same seed in all frames, or clothes would flicker.
            person_rng = np.random.default_rng([seed, 2, person])
            figure.draw_person(image, motion.joints[number], appearances[person], light, person_rng)
        yield camera.apply_film_style(image, style, rng)


def write_video(path: Path, motions: list[Motion], fps: float, seed: int) -> None:
    """Render and write a video."""
    with video_writer(path, fps, (poses.WIDTH, poses.HEIGHT)) as writer:
        for frame in render_frames(motions, seed):
            writer.write(frame)


def _draw_pose(rng: np.random.Generator, columns: tuple[float, float]) -> np.ndarray:
    """Draw a pose inside the image, (K, 2) px."""
    while True:
        centre = np.array([rng.uniform(*columns) * poses.WIDTH, rng.uniform(0.5, 0.65) * poses.HEIGHT])
        joints = centre + rng.uniform(*TORSO_PX) * poses.sample_pose(rng)
        if (joints >= 20).all() and (joints <= [poses.WIDTH - 20, poses.HEIGHT - 10]).all():
            return joints
