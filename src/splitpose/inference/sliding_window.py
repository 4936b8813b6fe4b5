"""Sliding-window search for people in a whole image, with a model that was trained on crops around people.

The model predicts windows that together cover the image. The most confident predictions are repeated in the regions
that their own joints suggest. Ranking by confidence alone is better than by the product of confidence and agreement
between a window and the region that its joints suggest (94 % instead of 89 % of the joints within 0.2 torso
diameters, on 300 training people of the sample).

If several people are searched for, predictions that overlap a person who has already been found by half or more
are dropped (`MAX_OVERLAP`). With the int8 file of the sample's final variant, this leaves 8 false people in 180
rendered scenes of one to three people, and finds 90 % of the 360 people; excluding regions by an intersection over
union of 0.3 leaves 31, most of them heads or legs of people who have already been found.
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

MAX_OVERLAP = 0.5
"""Overlap (see `overlap`) from which two regions are assumed to show the same person, or a part of the person."""

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
    until one is left. Predictions that suggest the region of an excluded person are dropped before.

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
    windows = _predict_windows(model, image, size, sides)
    return _refine(model, image, crop_policy, windows, exclude)


def search_people(
    model: PoseModel, image: ImagePyramid, size: tuple[int, int], crop_policy: CropPolicy, max_people: int = 1
) -> list[Prediction]:
    """Search for several people, the most confident first.

    1. Predict all windows (`sliding_windows`), once.
    2. Refine them to the most confident person, as in `search`: sort the predictions by decreasing mean confidence,
       compute the region that each one's joints suggest, drop the regions that overlap the region of a person who
       has already been found by `MAX_OVERLAP` or more, and predict the first third of the others (rounded half to
       even, at least one); repeat this until one prediction is left.
    3. If it reaches `model.person_threshold`, it is the next person: continue with step 2, starting again from the
       windows. Otherwise, or if no prediction is left, the search ends.

    Args:
        model: a model with confidence output.
        image: the image.
        size: (width, height) of the image in px.
        crop_policy: maps joints to the region of the next round.
        max_people: maximum number of people.

    Returns:
        The people whose mean confidence reaches `model.person_threshold`; an empty list if there is no person.
    """
    windows = _predict_windows(model, image, size, WINDOW_SIDES)
    people: list[Prediction] = []
    while len(people) < max_people:
        regions = [person.region for person in people if person.region is not None]
        found = _refine(model, image, crop_policy, windows, regions)
        if found is None or found.mean_confidence < model.person_threshold:
            break
        people.append(found)
    return people


def _predict_windows(
    model: PoseModel, image: ImagePyramid, size: tuple[int, int], sides: Sequence[float]
) -> list[Prediction]:
    return [model.predict_region(image, region) for region in sliding_windows(*size, sides)]


def _refine(
    model: PoseModel,
    image: ImagePyramid,
    crop_policy: CropPolicy,
    windows: Sequence[Prediction],
    exclude: Sequence[CropRegion],
) -> Prediction | None:
    """Return the person that remains after all rounds of a search, None if every region is excluded."""
    predictions = list(windows)
    while len(predictions) > 1:
        predictions.sort(key=lambda prediction: -prediction.mean_confidence)
        suggested = (crop_policy(prediction.joints) for prediction in predictions)
        regions = [region for region in suggested if not _is_excluded(region, exclude)]
        best = regions[: max(1, round(KEEP_RATIO * len(regions)))]
        predictions = [model.predict_region(image, region) for region in best]
    return predictions[0] if predictions else None


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


def overlap(first: CropRegion, second: CropRegion) -> float:
    """Return the area of the intersection of two regions over the area of the smaller one."""
    reach = (first.side + second.side) / 2
    gaps = (first.x - second.x, first.y - second.y)
    width, height = (min(reach - abs(gap), first.side, second.side) for gap in gaps)
    return max(width, 0.0) * max(height, 0.0) / min(first.side, second.side) ** 2


def _is_excluded(region: CropRegion, exclude: Sequence[CropRegion]) -> bool:
    return any(overlap(region, other) >= MAX_OVERLAP for other in exclude)


def _centres(length: int, side: float) -> list[float]:
    """Return the centres of windows of `side` px, at most half a side apart, that cover `length` px."""
    if side >= length:
        return [(length - 1) / 2]
    steps = 1 + int(np.ceil((length - side) / (side / 2) - 1e-9))
    first, last = side / 2 - 0.5, length - side / 2 - 0.5  # the first pixel's edge is at -0.5
    centres: list[float] = np.linspace(first, last, steps).tolist()
    return centres
