"""Prediction of the people in a video, tracked from frame to frame, and drawing of the predicted poses."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from splitpose.crops.geometry import ImagePyramid, full_image_region
from splitpose.drawing import draw_prediction
from splitpose.inference.boxes import InstanceBox, initial_region
from splitpose.inference.drawing_path import drawing_path
from splitpose.inference.inputs import InputFile
from splitpose.inference.person_tracker import PersonTracker, TrackedPose
from splitpose.inference.pose_model import EMPTY_POSE, PoseModel, Prediction
from splitpose.inference.predict_options import PredictOptions
from splitpose.inference.predictions_csv import PredictionsWriter
from splitpose.inference.prefetch import prefetch
from splitpose.inference.temporal_smoothing import FramePoses, smooth_frames
from splitpose.inference.video_io import Frame, Video
from splitpose.inference.video_writer import video_writer

PREFETCH_DEPTH = 4
"""Number of frames that are read ahead, and of frames that are predicted ahead."""


@dataclass(frozen=True)
class FrameResult:
    """A frame and the tracked poses of all people."""

    frame: Frame
    poses: Sequence[TrackedPose]

    def to_frame_poses(self) -> FramePoses:
        """Return the poses as arrays."""
        return FramePoses(
            np.stack([pose.prediction.joints for pose in self.poses]),
            np.array([_region_side(pose.prediction) for pose in self.poses]),
            np.array([pose.track_id for pose in self.poses]),
        )


def create_trackers(
    instances: Sequence[InstanceBox], video: Video, model: PoseModel, options: PredictOptions
) -> dict[str, PersonTracker]:
    """Return a tracker for each instance of a video, by id, starting from the instance's box in the first frame.

    Frames are searched for an instance without a box, or one that a detector did not find. Without search or
    tracking it is predicted in the whole frame.

    Raises:
        InputError: a box is outside the frames.
    """
    is_fixed = not options.track or not model.has_confidence
    trackers = {}
    for instance in instances:
        region = initial_region(instance.bbox, *video.size, model.padding)
        if is_fixed or not options.sliding_window:
            region = region or full_image_region(*video.size)
        elif instance.bbox is None:
            region = None
        trackers[instance.id] = PersonTracker(model, video.size, video.fps, region, is_fixed)
    return trackers


@dataclass(frozen=True)
class VideoOutput:
    """Where the predictions of videos are written: the folder of the drawings, and the open CSV."""

    folder: Path
    table: PredictionsWriter


def predict_video(
    video: Video,
    file: InputFile,
    trackers: Mapping[str, PersonTracker],
    options: PredictOptions,
    output: VideoOutput,
) -> Iterator[int]:
    """Write a row for each person and frame, and the video with the poses drawn.

    A person who is searched for has no joints in the frames in which the confidence is below the model's person
    threshold. The rows of a person have the ids ID#000000, ID#000001 ...; a video in another format than MP4
    becomes NAME.mp4.

    Yields:
        The number of each completed frame.

    Raises:
        InputError: the video cannot be written.
    """
    path = drawing_path(output.folder, file.name, "" if file.name.endswith(".mp4") else ".mp4")
    open_writer = video_writer(path, video.fps, video.size, video.pixel_aspect) if options.draw else nullcontext()
    with open_writer as writer:
        drawn: deque[Frame] = deque()

        def encode_drawn() -> None:
            while writer and drawn:
                frame = drawn.popleft()
                writer.write(frame.pixels, frame.seconds)

        # A frame is encoded when the next one arrives: at that moment the prediction thread needs the interpreter
        # lock to start the next frame, and encoding releases the lock, which smoothing and drawing do not.
        results = _call_before_each(encode_drawn, _track_frames(video, list(trackers.values())))
        for result, joints in _smooth(results, video.fps, options):
            for id, pose, pose_joints in zip(trackers, result.poses, joints, strict=True):
                prediction = replace(pose.prediction, joints=pose_joints)
                if prediction.mean_confidence < trackers[id].person_threshold:
                    prediction = EMPTY_POSE
                output.table.add(f"{id}#{result.frame.number:06d}", file.name, prediction, result.frame)
                if writer and prediction.region:
                    draw_prediction(
                        result.frame.pixels, prediction.joints, prediction.confidence, prediction.region
                    )
            if writer:
                drawn.append(result.frame)
            yield result.frame.number
        encode_drawn()


def _track_frames(video: Video, trackers: Sequence[PersonTracker]) -> Iterator[FrameResult]:
    """Read and predict the frames, each in its own thread."""
    frames = prefetch(((frame, ImagePyramid(frame.pixels)) for frame in video.frames()), PREFETCH_DEPTH)
    return prefetch((_track_frame(frame, image, trackers) for frame, image in frames), PREFETCH_DEPTH)


def _track_frame(frame: Frame, image: ImagePyramid, trackers: Sequence[PersonTracker]) -> FrameResult:
    poses = []
    for tracker in trackers:
        others = [other.region for other in trackers if other is not tracker and other.region]
        poses.append(tracker.update(image, others))
    return FrameResult(frame, poses)


def _call_before_each(action: Callable[[], None], results: Iterable[FrameResult]) -> Iterator[FrameResult]:
    for result in results:
        action()
        yield result


def _smooth(
    results: Iterable[FrameResult], fps: float, options: PredictOptions
) -> Iterator[tuple[FrameResult, np.ndarray]]:
    """Yield the frames with their joints (P, K, 2), smoothed if the options require it."""
    if options.smooth:
        return smooth_frames(results, FrameResult.to_frame_poses, fps)
    return ((result, result.to_frame_poses().joints) for result in results)


def _region_side(prediction: Prediction) -> float:
    assert prediction.region is not None  # in a video every person is predicted in every frame
    return prediction.region.side
