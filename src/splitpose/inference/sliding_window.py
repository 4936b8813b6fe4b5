"""Sliding-window search for a person in a whole image, with a model that was trained on crops around people.

The model predicts windows that together cover the image. The most confident predictions are repeated in the regions
that their own joints suggest. Ranking by confidence alone is better than by the product of confidence and agreement
between a window and the region that its joints suggest (94 % instead of 89 % of the joints within 0.2 torso
diameters, on 300 training people of the sample).
"""

from collections.abc import Callable, Sequence

import numpy as np

from splitpose.crops.geometry import CropRegion, ImagePyramid, crop_region, full_image_region
from splitpose.inference.pose_model import PoseModel, Prediction

WINDOW_SIDES = (1.0, 0.6, 0.36)
"""Sides of the windows over the image's shorter side; neighbouring windows overlap by at least half."""

KEEP_RATIO = 1 / 3
"""Fraction of a round's predictions that is refined in the next round."""

MAX_ASPECT_RATIO = 8
"""In a more elongated image, windows are as large as in one of this ratio, and extend beyond the shorter side."""

SAME_PERSON_IOU = 0.3
"""Intersection over union from which two regions are assumed to show the same person."""

CropPolicy = Callable[[np.ndarray], CropRegion]
"""Maps a person's joints (K, 2) px to the person's crop region."""


def search(
    model: PoseModel,
    image: ImagePyramid,
    size: tuple[int, int],
    crop_policy: CropPolicy,
    exclude: Sequence[CropRegion] = (),
    sides: Sequence[float] = WINDOW_SIDES,
) -> Prediction | None:
    """Search for the person that the model is most confident of.

    In each round the most confident third of the predictions is repeated in the regions that their joints suggest,
    until one is left.

    Args:
        model: a model with confidence output.
        image: the image.
        size: (width, height) of the image in px.
        crop_policy: maps joints to the region of the next round.
        exclude: regions of other people, which must not be found again.
        sides: sides of the windows over the image's shorter side.

    Returns:
        The prediction, None if every person found is excluded.
    """
    predictions = [model.predict_region(image, region) for region in sliding_windows(*size, sides)]
    while len(predictions) > 1:
        predictions = sorted(predictions, key=lambda prediction: -prediction.mean_confidence)
        best = predictions[: max(1, round(KEEP_RATIO * len(predictions)))]
        predictions = [model.predict_region(image, crop_policy(prediction.joints)) for prediction in best]
        predictions = [prediction for prediction in predictions if not _is_excluded(prediction, exclude)]
    return predictions[0] if predictions else None


def search_people(
    model: PoseModel, image: ImagePyramid, size: tuple[int, int], crop_policy: CropPolicy, max_people: int = 1
) -> list[Prediction]:
    """Search for several people, the most confident first.

    Args:
        model: a model with confidence output.
        image: the image.
        size: (width, height) of the image in px.
        crop_policy: maps joints to the region of the next round.
        max_people: maximum number of people.

    Returns:
        The people whose mean confidence reaches `model.person_threshold`; an empty list if there is no person.
    """
    people: list[Prediction] = []
    while len(people) < max_people:
        regions = [person.region for person in people if person.region is not None]
        found = search(model, image, size, crop_policy, regions)
        if found is None or found.mean_confidence < model.person_threshold:
            break
        people.append(found)
    return people


def joints_crop_policy(padding: float) -> CropPolicy:
    """Return the crop policy whose region's side is `padding` times the longer side of the box of all joints."""
    return lambda joints: crop_region(joints, np.empty(0), "joints", padding)


def sliding_windows(width: int, height: int, sides: Sequence[float] = WINDOW_SIDES) -> list[CropRegion]:
    """Return the region of the whole image, followed by windows of each size that cover the image."""
    shorter = max(min(width, height), max(width, height) / MAX_ASPECT_RATIO)
    windows = [full_image_region(width, height)]
    for side in (ratio * shorter for ratio in sides):
        windows += [CropRegion(x, y, side) for y in _centres(height, side) for x in _centres(width, side)]
    return windows


def iou(first: CropRegion, second: CropRegion) -> float:
    """Return the intersection over union of two regions."""
    reach = (first.side + second.side) / 2
    gaps = (first.x - second.x, first.y - second.y)
    width, height = (min(reach - abs(gap), first.side, second.side) for gap in gaps)
    intersection = max(width, 0.0) * max(height, 0.0)
    return intersection / (first.side**2 + second.side**2 - intersection)


def _is_excluded(prediction: Prediction, exclude: Sequence[CropRegion]) -> bool:
    region = prediction.region
    return region is not None and any(iou(region, other) >= SAME_PERSON_IOU for other in exclude)


def _centres(length: int, side: float) -> list[float]:
    """Return the centres of windows of `side` px, at most half a side apart, that cover `length` px."""
    if side >= length:
        return [(length - 1) / 2]
    steps = 1 + int(np.ceil((length - side) / (side / 2) - 1e-9))
    first, last = side / 2 - 0.5, length - side / 2 - 0.5  # the first pixel's edge is at -0.5
    centres: list[float] = np.linspace(first, last, steps).tolist()
    return centres
