"""Person tracking: each frame's joints determine the region of the next frame.

The next region is placed around the joints with the crop policy of the training crops. A person is lost if the
confidence drops well below its exponential moving average (EMA), or if the next region is not plausible; then the
whole image is searched. A fixed limit does not work, because the typical confidence differs between models and
between people. Without a box, the first frame is searched, and later frames again at increasing intervals, because
the first result may be wrong.

Models of coordinates have no confidence output, so a lost person cannot be detected, and regions that follow wrong
predictions shrink or drift away within a second. With such models every frame is predicted in the same region.
"""

from dataclasses import dataclass

import numpy as np

from splitpose.crops.geometry import CropRegion, ImagePyramid, crop_region, full_image_region
from splitpose.inference.pose_model import EMPTY_POSE, PoseModel, Prediction
from splitpose.inference.sliding_window import WINDOW_SIDES, CropPolicy, joints_crop_policy, search
from splitpose.skeleton import INDEX

LOST_RATIO = 0.85
"""A person is lost below this fraction of the confidence EMA."""

EMA_WEIGHT = 0.03
"""Weight of a frame in the confidence EMA: it averages over about a second of video."""

MIN_REGION, MAX_REGION = 0.02, 1.5
"""Plausible sides of a person's region over the image's longer side."""

SEARCH_INTERVAL, BACKOFF = 1 / 3, 4
"""Seconds between two searches, and the factor by which they increase after a search without a better result."""

TRACKING_SIDES = WINDOW_SIDES[:2]
"""Videos are searched repeatedly, so the smallest windows, two thirds of all, are omitted."""

TORSO = [INDEX[joint] for joint in ("lsho", "rsho", "lhip", "rhip")]


@dataclass(frozen=True)
class TrackedPose:
    """The prediction for a person in a frame; joints are smoothed only over frames with the same track id.

    The track id counts the searches that have found the person so far.
    """

    prediction: Prediction
    track_id: int


class PersonTracker:
    """Tracks one person through the frames of a video.

    Args:
        model: the model.
        size: (width, height) of the frames in px.
        fps: frames per second.
        region: the person's region in the first frame, None to search for the person.
        is_fixed: predict every frame in `region`, without tracking.
    """

    def __init__(
        self,
        model: PoseModel,
        size: tuple[int, int],
        fps: float,
        region: CropRegion | None,
        is_fixed: bool = False,
    ):
        self._model, self._size, self._fps, self._is_fixed = model, size, fps, is_fixed
        self._initial_region, self.region = region, region
        self.person_threshold = model.person_threshold if region is None else 0.0
        """Mean confidence below which a frame shows no person; 0 if the person's region is given."""
        self._crop_policy: CropPolicy | None = (
            joints_crop_policy(model.padding) if model.regions_from_joints else None
        )
        self._confidence_ema = 0.0
        self._search_interval, self._frames_to_search = SEARCH_INTERVAL, 0
        self._track_id = 0

    def update(self, image: ImagePyramid, others: list[CropRegion]) -> TrackedPose:
        """Predict the person in the next frame; `others` are the regions of the other people."""
        if self._is_fixed:
            region = self._initial_region
            return TrackedPose(self._model.predict_region(image, region) if region else EMPTY_POSE, 0)
        region = self.region
        prediction = self._model.predict_region(image, region) if region else None
        if self._crop_policy is None:
            self._crop_policy = (
                torso_crop_policy(prediction) if prediction else joints_crop_policy(self._model.joints_padding)
            )
        is_lost = prediction is None or prediction.mean_confidence < LOST_RATIO * self._confidence_ema
        if is_lost:
            self._frames_to_search = min(self._frames_to_search, round(SEARCH_INTERVAL * self._fps))
        if self._frames_to_search <= 0 and (is_lost or self._initial_region is None):
            prediction = self._search(image, prediction, is_lost, others)
        prediction = prediction or self._model.predict_region(image, full_image_region(*self._size))
        self._frames_to_search -= 1
        self._track_id += prediction.region is not region
        self._update_confidence(prediction.mean_confidence)
        next_region = self._crop_policy(prediction.joints)
        self.region = next_region if self._is_plausible(next_region) else None
        return TrackedPose(prediction, self._track_id)

    def _search(
        self, image: ImagePyramid, prediction: Prediction | None, is_lost: bool, others: list[CropRegion]
    ) -> Prediction | None:
        """Return the result of a search if it is better than the prediction, else the prediction.

        If the person is not lost, the result must be better by a margin.
        """
        assert self._crop_policy is not None
        found = search(self._model, image, self._size, self._crop_policy, others, TRACKING_SIDES)
        threshold = 0.0 if prediction is None else prediction.mean_confidence / (1 if is_lost else LOST_RATIO)
        is_better = found is not None and found.mean_confidence > threshold
        self._search_interval = SEARCH_INTERVAL if is_better else BACKOFF * self._search_interval
        self._frames_to_search = round(self._search_interval * self._fps)
        return found if is_better else prediction

    def _update_confidence(self, confidence: float) -> None:
        """Update the confidence EMA; a lost person lowers it slowly."""
        ema = self._confidence_ema
        self._confidence_ema = ema + EMA_WEIGHT * (max(confidence, LOST_RATIO * ema) - ema) if ema else confidence

    def _is_plausible(self, region: CropRegion) -> bool:
        width, height = self._size
        is_inside = 0 <= region.x < width and 0 <= region.y < height
        return is_inside and MIN_REGION <= region.side / max(width, height) <= MAX_REGION


def torso_crop_policy(prediction: Prediction) -> CropPolicy:
    """Return the crop policy that keeps the region's position and scale relative to shoulders and hips.

    A detector's box may be that of the torso, or of the whole person with legs; how the region is placed around the
    joints is known from the frame in which the box was given.
    """
    assert prediction.region is not None
    torso = crop_region(prediction.joints[TORSO], np.empty(0), "joints", 1.0)
    scale = prediction.region.side / torso.side
    offset_x = (prediction.region.x - torso.x) / torso.side
    offset_y = (prediction.region.y - torso.y) / torso.side

    def crop_policy(joints: np.ndarray) -> CropRegion:
        torso = crop_region(joints[TORSO], np.empty(0), "joints", 1.0)
        return CropRegion(torso.x + offset_x * torso.side, torso.y + offset_y * torso.side, scale * torso.side)

    return crop_policy
