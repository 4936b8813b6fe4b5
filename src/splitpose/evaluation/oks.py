"""Object keypoint similarity (OKS), and average precision and recall from it, as COCO's evaluation computes them.

Definition: https://cocodataset.org/#keypoints-eval; the reference implementation is `pycocotools.cocoeval`. Only
the 11 joints are compared, people of all areas count, and all are of one category.

Legend: G annotated people and D predictions of an image, K joints, T thresholds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from splitpose.skeleton import FULL_NAMES, JOINTS

_SIGMAS = {"nose": 0.026, "eye": 0.025, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062, "hip": 0.107}

SIGMAS: np.ndarray = np.array([_SIGMAS[FULL_NAMES[joint].split()[-1]] for joint in JOINTS])
"""(K,) COCO's constants: standard deviation of repeated annotations of each joint, relative to the square root of a
person's area (`Params.setKpParams` in pycocotools)."""

THRESHOLDS: np.ndarray = np.linspace(0.5, 0.95, 10)
RECALLS: np.ndarray = np.linspace(0.0, 1.0, 101)
"""Recalls at which the precision is read off."""

MAX_DETECTIONS = 20
"""Number of predictions of an image that count, those with the highest scores."""


@dataclass(frozen=True)
class AnnotatedImage:
    """The annotated people of an image.

    joints: (G, K, 2) px, NaN where not annotated; areas: (G,) px^2; boxes: (G, 4) x0, y0, x1, y1 in px with pixel
    centres at integers, NaN where missing; crowds: (G,) bool, annotations of a group; several predictions may match
    each of them.
    """

    joints: np.ndarray
    areas: np.ndarray
    boxes: np.ndarray
    crowds: np.ndarray

    @property
    def ignored(self) -> np.ndarray:
        """Whether a person counts neither as found nor as missed, nor a prediction of it: (G,) bool."""
        ignored: np.ndarray = self.crowds | ~np.isfinite(self.joints[..., 0]).any(axis=1) | ~(self.areas > 0)
        return ignored


@dataclass(frozen=True)
class PredictedImage:
    """The predictions of an image: joints (D, K, 2) px, NaN where missing, and scores (D,)."""

    joints: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class ImageMatches:
    """How the predictions of an image match its people.

    order: (D',) index of the predictions that count, by falling score; matches: (T, D') index of the person that
    each of them matches, -1 for none; ignored: (T, D') bool, whether that person is ignored; people: number of
    people who are not ignored; scores: (D',).
    """

    order: np.ndarray
    matches: np.ndarray
    ignored: np.ndarray
    people: int
    scores: np.ndarray


def oks(annotated: AnnotatedImage, predicted: np.ndarray) -> np.ndarray:
    """Return the OKS of each prediction and annotated person: (D, K, 2) px -> (D, G), from 0 to 1.

    The OKS is the mean over a person's annotated joints of exp(-d^2 / (8 sigma^2 area)), where d is the distance of
    the predicted joint in px; a missing prediction adds 0. For a person without annotated joints, d is the distance
    from the box enlarged to three times its sides, and the mean is over all joints.
    """
    offsets = predicted[:, None] - annotated.joints
    is_annotated = np.isfinite(annotated.joints[..., 0])
    without_joints = ~is_annotated.any(axis=1)
    if without_joints.any():
        offsets[:, without_joints] = _offsets_from_boxes(predicted, annotated.boxes[without_joints])
        is_annotated = is_annotated | without_joints[:, None]
    return _mean_similarity(offsets, is_annotated, annotated.areas)


def match(
    annotated: AnnotatedImage, predicted: PredictedImage, thresholds: np.ndarray = THRESHOLDS
) -> ImageMatches:
    """Match predictions with people, in order of their scores.

    Each prediction takes the person with the highest OKS, at least the threshold, among those who are not yet
    matched; one who is ignored only if there is no other. Crowds can be matched repeatedly.
    """
    order = np.argsort(-predicted.scores, kind="stable")[:MAX_DETECTIONS]
    similarity = oks(annotated, predicted.joints[order])
    ignored = annotated.ignored
    free = np.ones((len(thresholds), len(ignored)), bool)
    matches = np.full((len(thresholds), len(order)), -1)
    lowest = np.minimum(thresholds, 1 - 1e-10)[:, None]
    for d, similarities in enumerate(similarity if len(ignored) else ()):
        candidates = (free | annotated.crowds) & (similarities >= lowest)
        preferred = candidates & ~ignored
        candidates = np.where(preferred.any(axis=1, keepdims=True), preferred, candidates)
        best = _last_argmax(np.where(candidates, similarities, -1.0))
        matched = np.flatnonzero(candidates.any(axis=1))
        matches[matched, d] = best[matched]
        free[matched, best[matched]] = False
    is_ignored = (matches >= 0) & ignored[matches] if len(ignored) else np.zeros(matches.shape, bool)
    return ImageMatches(order, matches, is_ignored, int((~ignored).sum()), predicted.scores[order])


def match_rows(annotated: AnnotatedImage, predicted: PredictedImage) -> ImageMatches:
    """Match each person with the prediction in the same row, if its OKS is at least the threshold.

    This is for people of different images, with the predictions that are known to be theirs: rows without any joint
    are no prediction, and those of ignored people are ignored at any OKS.
    """
    order = np.flatnonzero(np.isfinite(predicted.joints[..., 0]).any(axis=1))
    joints, ignored = annotated.joints[order], annotated.ignored
    offsets = predicted.joints[order] - joints
    similarities = _mean_similarity(offsets, np.isfinite(joints[..., 0]), annotated.areas[order])
    is_matched = (similarities >= np.minimum(THRESHOLDS, 1 - 1e-10)[:, None]) | ignored[order]
    return ImageMatches(
        order,
        np.where(is_matched, order, -1),
        is_matched & ignored[order],
        int((~ignored).sum()),
        predicted.scores[order],
    )


def average_precision(images: Sequence[ImageMatches]) -> dict[str, float]:
    """Return COCO's AP (mean over the thresholds 0.50, 0.55 ... 0.95), AP50, AP75 and AR, each from 0 to 1.

    Precision is the highest at any recall not below each of RECALLS. All values are NaN without a person who is not
    ignored.

    Args:
        images: matches at THRESHOLDS, in the order of the images' ids, on which the order of equal scores depends.
    """
    people = sum(image.people for image in images)
    if not people:
        return dict.fromkeys(("AP", "AP50", "AP75", "AR"), np.nan)
    order = np.argsort(-np.concatenate([image.scores for image in images]), kind="stable")
    matched = np.concatenate([image.matches for image in images], axis=1)[:, order] >= 0
    ignored = np.concatenate([image.ignored for image in images], axis=1)[:, order]
    found = np.cumsum(matched & ~ignored, axis=1)
    false = np.cumsum(~matched & ~ignored, axis=1)
    recalls = found / people
    precisions = np.array(
        [
            _precision_at_recalls(f / (f + n + np.spacing(1)), r)
            for f, n, r in zip(found, false, recalls, strict=True)
        ]
    )
    by_threshold = precisions.mean(axis=1)
    return {
        "AP": float(by_threshold.mean()),
        "AP50": float(by_threshold[0]),
        "AP75": float(by_threshold[5]),
        "AR": float(recalls[:, -1].mean()) if recalls.shape[1] else 0.0,
    }


def _mean_similarity(offsets: np.ndarray, compared: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Return the OKS from offsets (..., K, 2) in px of the joints that are compared (..., K), 0 without any."""
    exponents = (offsets**2).sum(axis=-1) / (2 * SIGMAS) ** 2 / (areas[:, None] + np.spacing(1)) / 2
    similarities = np.where(compared & ~np.isnan(exponents), np.exp(-exponents), 0.0)
    result: np.ndarray = similarities.sum(axis=-1) / np.maximum(compared.sum(axis=-1), 1)
    return result


def _precision_at_recalls(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """Return the interpolated precision at RECALLS, 0 at those that are not reached."""
    highest = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    at_recalls: np.ndarray = highest[np.searchsorted(recall, RECALLS, side="left")]
    return at_recalls


def _last_argmax(values: np.ndarray) -> np.ndarray:
    """Return the index of each row's maximum, the last of equal ones as in COCO's evaluation: (T, G) -> (T,)."""
    last: np.ndarray = values.shape[1] - 1 - np.argmax(values[:, ::-1], axis=1)
    return last


def _offsets_from_boxes(joints: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return how far joints (D, K, 2) are outside boxes (G, 4) enlarged to three times their sides."""
    # COCO's boxes have pixel corners at integers, but its evaluation compares them with keypoints unchanged.
    low, high = boxes[:, None, :2] + 0.5, boxes[:, None, 2:] + 0.5
    side = high - low
    points = joints[:, None]
    offsets: np.ndarray = np.maximum(0, low - side - points) + np.maximum(0, points - high - side)
    return offsets
