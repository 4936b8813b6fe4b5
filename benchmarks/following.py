"""How well people in videos are followed, and what smoothing does, on rendered people whose joints are known.

    python benchmarks/following.py [--model models/final/float32.tflite] [--videos 8] [--first-seed 100]

Following: what `splitpose predict` finds with and without a first box, beside looking at the same square in all
frames, at the whole picture, and at the square of the true joints, which is the most that following could reach.

Smoothing, of what following finds: error in torso diameters, and trembling, the mean length of a joint's second
difference from frame to frame that the true joint has not, px. The One Euro filter (Casiez, Roussel, Vogel, CHI
2012) stands there with those of 30 settings that give, on these very videos, the smallest error, and the trembling
nearest to that of `splitpose predict`.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import moving_people
import numpy as np
from moving_people import Walk
from rich.console import Console
from rich.table import Table

from splitpose.crops.bounding_box import bbox_region
from splitpose.crops.geometry import ImagePyramid, crop_region, full_image_region
from splitpose.inference import pose_model as models
from splitpose.inference.person_tracker import PersonTracker, Seen
from splitpose.inference.pose_model import Model
from splitpose.inference.temporal_smoothing import smoothed
from splitpose.inference.video_io import Video
from splitpose.progress import track

RATE = 25.0
ONE_EURO = list(product((0.3, 0.6, 1.0, 1.7, 3.0, 5.0), (0.0, 0.5, 2.0, 8.0, 30.0)))
"""Lowest cut-off, Hz, and how it grows with speed, 1 / sides of the square."""


@dataclass(frozen=True)
class Clip:
    """A video and where its person truly is."""

    path: Path
    walk: Walk

    def pictures(self) -> Iterator[ImagePyramid]:
        """Its frames."""
        for frame in Video(self.path).frames():
            yield ImagePyramid(frame.pixels)

    def errors(self, joints: np.ndarray) -> np.ndarray:
        """(F, K) distances of joints (F, K, 2) from the true ones, in torso diameters."""
        truth = self.walk.joints
        torso = np.linalg.norm(truth[:, 0] - truth[:, 7], axis=-1)
        return np.linalg.norm(joints - truth, axis=-1) / torso[:, None]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("models/final/float32.tflite"))
    parser.add_argument("--videos", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--first-seed", type=int, default=100)
    options = parser.parse_args()
    model = models.load(options.model)
    with tempfile.TemporaryDirectory() as folder:
        clips = rendered(Path(folder), options.first_seed, options.videos, round(options.seconds * RATE))
        ways = ways_of_looking(model)
        found = {
            name: [look(clip) for clip in track(clips, name, len(clips), "videos")] for name, look in ways.items()
        }
    show_following(clips, found)
    show_smoothing(clips, found["followed, no box"])


def rendered(folder: Path, first_seed: int, count: int, frames: int) -> list[Clip]:
    """Videos of one person each."""
    clips = []
    for seed in track(range(first_seed, first_seed + count), "rendering", count, "videos"):
        walk = moving_people.walk(np.random.default_rng(seed), frames, RATE)
        clips.append(Clip(folder / f"{seed}.mp4", walk))
        moving_people.write(clips[-1].path, [walk], RATE, seed)
    return clips


def ways_of_looking(model: Model):  # type: ignore[no-untyped-def]
    """By name, functions that give what is seen in each frame of a clip."""

    def follow(clip: Clip, with_box: bool, stays: bool = False) -> list[Seen]:
        size = Video(clip.path).size
        start = bbox_region(clip.walk.box, *size, model.margin) if with_box else None
        if start is None and stays:
            start = full_image_region(*size)
        follower = PersonTracker(model, size, RATE, start, stays)
        return [follower.look(picture, []) for picture in clip.pictures()]

    def with_truth(clip: Clip) -> list[Seen]:
        squares = [crop_region(joints, np.empty(0), "joints", model.margin) for joints in clip.walk.joints]
        return [Seen(model.look(picture, at), 0) for picture, at in zip(clip.pictures(), squares, strict=True)]

    return {
        "whole picture": lambda clip: follow(clip, with_box=False, stays=True),
        "first box in all frames": lambda clip: follow(clip, with_box=True, stays=True),
        "followed, no box": lambda clip: follow(clip, with_box=False),
        "followed from a box": lambda clip: follow(clip, with_box=True),
        "true square": with_truth,
    }


def joints_of(seen: list[Seen]) -> np.ndarray:
    """(F, K, 2) px."""
    return np.stack([each.look.joints for each in seen])


def smoothed_joints(seen: list[Seen]) -> np.ndarray:
    """(F, K, 2) px as `splitpose predict` tells them."""

    def track_of(each: Seen) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return each.look.joints[None], np.array([_side(each)]), np.array([each.begun])

    return np.stack([joints[0] for _, joints in smoothed(seen, track_of, RATE)])


def one_euro(seen: list[Seen], lowest: float, growth: float) -> np.ndarray:
    """(F, K, 2) px by the One Euro filter, whose speeds are in sides of the square."""

    def share(cut_off: np.ndarray) -> np.ndarray:
        return 1 / (1 + RATE / (2 * np.pi * cut_off))

    out, speed = [seen[0].look.joints], np.zeros_like(seen[0].look.joints)
    for before, now in pairwise(seen):
        joints = now.look.joints
        if now.begun != before.begun:
            out.append(joints)
            continue
        moved = (joints - out[-1]) * RATE / _side(now)
        speed = speed + share(np.float64(1.0)) * (moved - speed)
        weight = share(lowest + growth * np.linalg.norm(speed, axis=-1, keepdims=True))
        out.append(out[-1] + weight * (joints - out[-1]))
    return np.stack(out)


def show_following(clips: list[Clip], found: dict[str, list[list[Seen]]]) -> None:
    """Print PCK of the ways of looking."""
    table = Table("looked at", "PCK@0.2", "PCK@0.1", "worst video, @0.2", title="Following")
    for name, seen in found.items():
        errors = [clip.errors(joints_of(each)) for clip, each in zip(clips, seen, strict=True)]
        worst = min((each < 0.2).mean() for each in errors)
        together = np.concatenate(errors)
        table.add_row(
            name, *(f"{100 * (together < limit).mean():.1f}" for limit in (0.2, 0.1)), f"{100 * worst:.1f}"
        )
    Console().print(table)


def show_smoothing(clips: list[Clip], seen: list[list[Seen]]) -> None:
    """Print error and trembling with and without smoothing."""
    ways = {"none": [joints_of(each) for each in seen]}
    by_setting = {setting: [one_euro(each, *setting) for each in seen] for setting in ONE_EURO}
    ours = [smoothed_joints(each) for each in seen]
    exact = min(ONE_EURO, key=lambda setting: _error(clips, by_setting[setting]))
    steady = min(
        ONE_EURO, key=lambda setting: abs(_trembling(clips, by_setting[setting]) - _trembling(clips, ours))
    )
    for lowest, growth in (exact, steady):
        ways[f"One Euro, {lowest:g} Hz, {growth:g}"] = by_setting[lowest, growth]
    ways["splitpose predict"] = ours
    table = Table("smoothing", "PCK@0.1", "median error", "mean error", "trembling, px", title="Smoothing")
    for name, joints in ways.items():
        errors = np.concatenate([clip.errors(each) for clip, each in zip(clips, joints, strict=True)])
        figures = (f"{np.median(errors):.4f}", f"{errors.mean():.4f}", f"{_trembling(clips, joints):.2f}")
        table.add_row(name, f"{100 * (errors < 0.1).mean():.1f}", *figures)
    Console().print(table)


def _error(clips: list[Clip], joints: list[np.ndarray]) -> float:
    return float(np.mean([clip.errors(each).mean() for clip, each in zip(clips, joints, strict=True)]))


def _trembling(clips: list[Clip], joints: list[np.ndarray]) -> float:
    pairs = zip(clips, joints, strict=True)
    apart = [np.diff(each - clip.walk.joints, 2, axis=0) for clip, each in pairs]
    return float(np.linalg.norm(np.concatenate(apart), axis=-1).mean())


def _side(seen: Seen) -> float:
    assert seen.look.region
    return seen.look.region.side


if __name__ == "__main__":
    main()
