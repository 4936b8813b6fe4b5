"""Measure the accuracy of person tracking and temporal smoothing on rendered people whose joints are known.

    python benchmarks/tracking.py [--model models/final/float32.tflite] [--videos 8] [--first-seed 100]

Tracking: `splitpose predict` with and without a first box, compared with the same region in all frames, the whole
image, and the region of the true joints, which is the upper bound of tracking.

Smoothing of the tracked joints: error in torso diameters, and jitter, the mean length of the second difference from
frame to frame of a joint's error, px. The One Euro filter (Casiez, Roussel, Vogel, CHI 2012) is listed with two of
30 settings, selected on the same videos: the one with the smallest error, and the one whose jitter is closest to
that of `splitpose predict`.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import rendered_videos
from rendered_videos import Motion
from rich.console import Console
from rich.table import Table

from splitpose.crops.bounding_box import bbox_region
from splitpose.crops.geometry import ImagePyramid, crop_region, full_image_region
from splitpose.evaluation.pck import normalised_errors
from splitpose.inference.person_tracker import PersonTracker, TrackedPose
from splitpose.inference.pose_model import PoseModel
from splitpose.inference.temporal_smoothing import FramePoses, smooth_frames
from splitpose.inference.video_io import Video
from splitpose.progress import track

FPS = 25.0
ONE_EURO_SETTINGS = list(product((0.3, 0.6, 1.0, 1.7, 3.0, 5.0), (0.0, 0.5, 2.0, 8.0, 30.0)))
"""Minimum cut-off frequency, Hz, and its increase with speed, 1 / sides of the region."""

TRACKED = "tracked, no box"


@dataclass(frozen=True)
class Clip:
    """A video and the true motion of its person."""

    path: Path
    motion: Motion

    def images(self) -> Iterator[ImagePyramid]:
        """Yield the frames."""
        for frame in Video(self.path).frames():
            yield ImagePyramid(frame.pixels)

    def errors(self, joints: np.ndarray) -> np.ndarray:
        """Return the distances (F, K) of joints (F, K, 2) from the true ones, in torso diameters."""
        return normalised_errors(self.motion.joints, joints)


Method = Callable[[Clip], list[TrackedPose]]
"""Predicts every frame of a clip."""


def main() -> None:
    """Measure the methods and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("models/final/float32.tflite"))
    parser.add_argument("--videos", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--first-seed", type=int, default=100)
    options = parser.parse_args()
    methods = tracking_methods(PoseModel.load(options.model))
    with tempfile.TemporaryDirectory() as folder:
        clips = render_clips(Path(folder), options.first_seed, options.videos, round(options.seconds * FPS))
        poses = {
            name: [method(clip) for clip in track(clips, name, len(clips), "videos")]
            for name, method in methods.items()
        }
    show_tracking(clips, poses)
    show_smoothing(clips, poses[TRACKED])


def render_clips(folder: Path, first_seed: int, count: int, frames: int) -> list[Clip]:
    """Render videos of one person each."""
    clips = []
    for seed in track(range(first_seed, first_seed + count), "rendering", count, "videos"):
        motion = rendered_videos.draw_motion(np.random.default_rng(seed), frames, FPS)
        clips.append(Clip(folder / f"{seed}.mp4", motion))
        rendered_videos.write_video(clips[-1].path, [motion], FPS, seed)
    return clips


def tracking_methods(model: PoseModel) -> dict[str, Method]:
    """Return the methods to compare, by name."""

    def track_person(clip: Clip, with_box: bool, is_fixed: bool = False) -> list[TrackedPose]:
        size = Video(clip.path).size
        region = bbox_region(clip.motion.bbox, *size, model.padding) if with_box else None
        if region is None and is_fixed:
            region = full_image_region(*size)
        tracker = PersonTracker(model, size, FPS, region, is_fixed)
        return [tracker.update(image, []) for image in clip.images()]

    def use_true_regions(clip: Clip) -> list[TrackedPose]:
        regions = [crop_region(joints, np.empty(0), "joints", model.padding) for joints in clip.motion.joints]
        return [
            TrackedPose(model.predict_region(image, region), 0)
            for image, region in zip(clip.images(), regions, strict=True)
        ]

    return {
        "whole image": lambda clip: track_person(clip, with_box=False, is_fixed=True),
        "first box in all frames": lambda clip: track_person(clip, with_box=True, is_fixed=True),
        TRACKED: lambda clip: track_person(clip, with_box=False),
        "tracked from a box": lambda clip: track_person(clip, with_box=True),
        "true region": use_true_regions,
    }


def to_joints(poses: list[TrackedPose]) -> np.ndarray:
    """Return the joints (F, K, 2) px."""
    return np.stack([pose.prediction.joints for pose in poses])


def to_smoothed_joints(poses: list[TrackedPose]) -> np.ndarray:
    """Return the joints (F, K, 2) px as smoothed by `splitpose predict`."""

    def to_frame_poses(pose: TrackedPose) -> FramePoses:
        return FramePoses(pose.prediction.joints[None], np.array([_region_side(pose)]), np.array([pose.track_id]))

    return np.stack([joints[0] for _, joints in smooth_frames(poses, to_frame_poses, FPS)])


def one_euro(poses: list[TrackedPose], min_cutoff: float, beta: float) -> np.ndarray:
    """Return the joints (F, K, 2) px smoothed by the One Euro filter, with speeds in sides of the region."""

    def smoothing_factor(cutoff: np.ndarray) -> np.ndarray:
        return 1 / (1 + FPS / (2 * np.pi * cutoff))

    smoothed, speed = [poses[0].prediction.joints], np.zeros_like(poses[0].prediction.joints)
    for before, pose in pairwise(poses):
        joints = pose.prediction.joints
        if pose.track_id != before.track_id:
            smoothed.append(joints)
            continue
        difference = (joints - smoothed[-1]) * FPS / _region_side(pose)
        speed = speed + smoothing_factor(np.float64(1.0)) * (difference - speed)
        factor = smoothing_factor(min_cutoff + beta * np.linalg.norm(speed, axis=-1, keepdims=True))
        smoothed.append(smoothed[-1] + factor * (joints - smoothed[-1]))
    return np.stack(smoothed)


def show_tracking(clips: list[Clip], poses: dict[str, list[list[TrackedPose]]]) -> None:
    """Print the PCK of the methods."""
    table = Table("region", "PCK@0.2", "PCK@0.1", "worst video, @0.2", title="Tracking")
    for name, clip_poses in poses.items():
        errors = [clip.errors(to_joints(each)) for clip, each in zip(clips, clip_poses, strict=True)]
        worst = min((each < 0.2).mean() for each in errors)
        pooled = np.concatenate(errors)
        pcks = (f"{100 * (pooled < threshold).mean():.1f}" for threshold in (0.2, 0.1))
        table.add_row(name, *pcks, f"{100 * worst:.1f}")
    Console().print(table)


def show_smoothing(clips: list[Clip], poses: list[list[TrackedPose]]) -> None:
    """Print error and jitter with and without smoothing."""
    joints = {"none": [to_joints(each) for each in poses]}
    filtered = {setting: [one_euro(each, *setting) for each in poses] for setting in ONE_EURO_SETTINGS}
    ours = [to_smoothed_joints(each) for each in poses]
    most_accurate = min(ONE_EURO_SETTINGS, key=lambda setting: _mean_error(clips, filtered[setting]))
    same_jitter = min(
        ONE_EURO_SETTINGS, key=lambda setting: abs(_jitter(clips, filtered[setting]) - _jitter(clips, ours))
    )
    for min_cutoff, beta in (most_accurate, same_jitter):
        joints[f"One Euro, {min_cutoff:g} Hz, {beta:g}"] = filtered[min_cutoff, beta]
    joints["splitpose predict"] = ours
    table = Table("smoothing", "PCK@0.1", "median error", "mean error", "jitter, px", title="Smoothing")
    for name, clip_joints in joints.items():
        errors = np.concatenate([clip.errors(each) for clip, each in zip(clips, clip_joints, strict=True)])
        results = (f"{np.median(errors):.4f}", f"{errors.mean():.4f}", f"{_jitter(clips, clip_joints):.2f}")
        table.add_row(name, f"{100 * (errors < 0.1).mean():.1f}", *results)
    Console().print(table)


def _mean_error(clips: list[Clip], joints: list[np.ndarray]) -> float:
    return float(np.mean([clip.errors(each).mean() for clip, each in zip(clips, joints, strict=True)]))


def _jitter(clips: list[Clip], joints: list[np.ndarray]) -> float:
    pairs = zip(clips, joints, strict=True)
    differences = [np.diff(each - clip.motion.joints, 2, axis=0) for clip, each in pairs]
    return float(np.linalg.norm(np.concatenate(differences), axis=-1).mean())


def _region_side(pose: TrackedPose) -> float:
    assert pose.prediction.region
    return pose.prediction.region.side


if __name__ == "__main__":
    main()
