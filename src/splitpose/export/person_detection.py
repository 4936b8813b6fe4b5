"""Person detection: the mean confidence that distinguishes images with people from images without.

The confidence of an image is that of the most confident person that a search finds in it. The threshold is chosen
for each TFLite file on validation images with people and on images without; its errors are measured on other
images.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from splitpose.crops.geometry import ImagePyramid
from splitpose.inference.pose_model import PoseModel
from splitpose.inference.sliding_window import joints_crop_policy, search_people

DIGITS = 4
"""Decimal digits of a threshold."""


@dataclass(frozen=True)
class DetectionScores:
    """Confidences (N,) of images with people, and (M,) of images without."""

    people: np.ndarray
    empty: np.ndarray

    def count_errors(self, threshold: float) -> dict[str, int]:
        """Return the numbers of images, of those with people that are missed, and of false alarms."""
        return {
            "people": len(self.people),
            "misses": int((self.people < threshold).sum()),
            "empty": len(self.empty),
            "false_alarms": int((self.empty >= threshold).sum()),
        }


def score_images(models: Sequence[PoseModel], images: Iterable[np.ndarray]) -> np.ndarray:
    """Return the confidence of the most confident person found in each image.

    Args:
        models: models with confidence output whose person threshold is not calibrated.
        images: (H, W, 3) uint8 BGR each.

    Returns:
        (M, N): a row for each model.
    """
    scores = []
    for pixels in images:
        pyramid, size = ImagePyramid(pixels), (pixels.shape[1], pixels.shape[0])
        policies = [joints_crop_policy(model.joints_padding) for model in models]
        found = [
            search_people(model, pyramid, size, policy) for model, policy in zip(models, policies, strict=True)
        ]
        scores.append([people[0].mean_confidence for people in found])
    return np.array(scores).reshape(-1, len(models)).T


def choose_threshold(scores: DetectionScores) -> float:
    """Return the threshold with the lowest sum of the rates of misses and of false alarms.

    Thresholds are midpoints between neighbouring confidences. Of several equally good ones, the one in the widest
    gap is chosen, because it has the largest margin. If none is better than calling every image one with people, as
    with an untrained model, the threshold is 0.
    """
    values = np.unique(np.concatenate([scores.people, scores.empty]))
    midpoints, gaps = (values[1:] + values[:-1]) / 2, np.diff(values)
    misses = (scores.people < midpoints[:, None]).mean(axis=1)
    false_alarms = (scores.empty >= midpoints[:, None]).mean(axis=1)
    costs = (misses + false_alarms).round(9)  # equally good despite the rounding of sums
    if not len(costs) or costs.min() >= 1:
        return 0.0
    best = np.flatnonzero(costs == costs.min())
    return round(float(midpoints[best[gaps[best].argmax()]]), DIGITS)


def calibrate(choice: DetectionScores, test: DetectionScores) -> dict[str, Any]:
    """Choose the threshold of a file and count its errors.

    Args:
        choice: confidences that determine the threshold.
        test: confidences of other images.

    Returns:
        {"threshold", "validation": errors, "test": errors}, with errors as in `DetectionScores.count_errors`.
    """
    threshold = choose_threshold(choice)
    return {
        "threshold": threshold,
        "validation": choice.count_errors(threshold),
        "test": test.count_errors(threshold),
    }


NOT_CALIBRATED: dict[str, Any] = {"threshold": None, "validation": None, "test": None}
"""The result for a file without confidence output."""
