"""Matching of predicted with annotated people: by id, or by image and OKS."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

import numpy as np

from splitpose.errors import InputError, some_of
from splitpose.evaluation.oks import AnnotatedImage, PredictedImage, match
from splitpose.evaluation.pose_set import ImageKey, PoseSet

MIN_OKS = 0.05
"""Smallest OKS of a prediction that is matched with a person for PCK, where people are matched by image: about that
of one correct joint of 11. Without a limit, a confident prediction elsewhere in the image would take the person."""


@dataclass(frozen=True)
class ImagePeople:
    """Rows of the people in an image: `annotated` of the annotations, `predicted` of the predictions."""

    annotated: np.ndarray
    predicted: np.ndarray


@dataclass(frozen=True)
class Matching:
    """Which prediction belongs to which annotated person."""

    method: Literal["id", "image"]
    people: np.ndarray
    """(M,) rows of the annotated people that PCK is computed of."""
    predictions: np.ndarray
    """(M,) row of the prediction of each of them, -1 for none."""
    unmatched_predictions: int
    """Number of predictions that belong to no annotated person."""
    images: list[ImagePeople]
    """The people of each image, in order of the images' ids, for OKS; empty if `method` is "id"."""

    @property
    def images_without_predictions(self) -> int | None:
        """Number of images with people but without a prediction; None if `method` is "id"."""
        if self.method == "id":
            return None
        return sum(len(people.annotated) > 0 and not len(people.predicted) for people in self.images)


def match_instances(annotations: PoseSet, predictions: PoseSet, areas: np.ndarray) -> Matching:
    """Match people by id if both files are tables, or if they have ids in common; by image and OKS otherwise.

    Args:
        annotations: the annotated people.
        predictions: the predicted ones.
        areas: (N,) area of each annotated person, px^2.

    Raises:
        InputError: ids or images of the files do not fit, or have none.
    """
    if predictions.is_table and predictions.ids is not None and annotations.ids is not None:
        in_common = set(annotations.ids) & set(predictions.ids)
        if annotations.is_table or in_common or not predictions.images:
            return _match_by_id(annotations, predictions)
    return _match_by_image(annotations, predictions, areas)


def people_of(
    annotations: PoseSet, predictions: PoseSet, areas: np.ndarray, annotated: np.ndarray, predicted: np.ndarray
) -> tuple[AnnotatedImage, PredictedImage]:
    """Return the people in rows of the annotations and of the predictions, for OKS."""
    return (
        AnnotatedImage(
            annotations.joints[annotated],
            areas[annotated],
            annotations.boxes[annotated],
            annotations.crowds[annotated],
        ),
        PredictedImage(predictions.joints[predicted], np.nan_to_num(predictions.scores[predicted], nan=1.0)),
    )


def _match_by_id(annotations: PoseSet, predictions: PoseSet) -> Matching:
    truth, found = annotations.ids or [], predictions.ids or []
    # In a table, all rows are people; other formats have crowds and people without joints: no prediction required.
    required = np.full(len(truth), True) if annotations.is_table else ~annotations.crowds & annotations.has_joints
    row_of = {name: row for row, name in enumerate(found)}
    people = np.flatnonzero(required)
    if missing := [truth[row] for row in people if truth[row] not in row_of]:
        raise InputError(
            f"{predictions.path}: no prediction for id {missing[0]!r} ({len(missing)} missing in all); "
            f"add a row for each id of {annotations.path}"
        )
    if unknown := sorted(set(found) - set(truth)):
        raise InputError(
            f"{predictions.path}: id {unknown[0]!r} is not in {annotations.path} ({len(unknown)} unknown in all); "
            "remove such rows"
        )
    rows = np.array([row_of[truth[row]] for row in people], np.int64)
    return Matching("id", people, rows, 0, [])


def _match_by_image(annotations: PoseSet, predictions: PoseSet, areas: np.ndarray) -> Matching:
    image_of = _find_images(annotations, predictions)
    is_prediction = predictions.has_joints
    images = []
    for image in _in_order_of_ids(annotations.images):
        annotated = np.flatnonzero(annotations.image_rows == image)
        predicted = np.flatnonzero((image_of[predictions.image_rows] == image) & is_prediction)
        images.append(ImagePeople(annotated, predicted))
    prediction_of = np.full(len(annotations.joints), -1)
    matched = 0
    for people in images:
        pair = people_of(annotations, predictions, areas, people.annotated, people.predicted)
        matches = match(*pair, np.array([MIN_OKS]))
        is_matched = matches.matches[0] >= 0
        persons = people.annotated[matches.matches[0][is_matched]]
        prediction_of[persons] = people.predicted[matches.order[is_matched]]
        matched += int(is_matched.sum())
    rows = np.flatnonzero(~annotations.crowds & annotations.has_joints)
    return Matching("image", rows, prediction_of[rows], int(is_prediction.sum()) - matched, images)


def _find_images(annotations: PoseSet, predictions: PoseSet) -> np.ndarray:
    """Return the row in the annotations' images of each of the predictions' images."""
    for file in (annotations, predictions):
        if not file.images:
            raise InputError(
                f"{file.path}: has no column 'image' (or 'image_id'), by which its people are matched with those "
                f"of {(predictions if file is annotations else annotations).path}; add it"
            )
    if predictions.has_frames:
        raise InputError(
            f"{predictions.path}: has predictions of the frames of a video, which cannot be matched by image; give "
            "annotations with the same ids, as CSV"
        )
    candidates = [_rows_of_images(annotations, predictions, *keys) for keys in _KEYS]
    rows: np.ndarray = max(candidates, key=lambda found: int((found >= 0).sum()))
    if (rows < 0).any():
        missing = [key.name or key.id for key, row in zip(predictions.images, rows, strict=True) if row < 0]
        remedy = "remove the predictions for them"
        if len(missing) == len(rows):
            remedy = "give file names, or a column image_id of the annotations, that identify the same images"
        raise InputError(
            f"{predictions.path}: {len(missing)} of its {len(rows)} images are not in {annotations.path}: "
            f"{some_of([repr(name) for name in missing])}; images there are "
            f"{some_of([repr(key.name or key.id) for key in annotations.images])}; {remedy}"
        )
    return rows


Key = Callable[[ImageKey], str]


def _rows_of_images(annotations: PoseSet, predictions: PoseSet, annotated: Key, predicted: Key) -> np.ndarray:
    """Return the row of each of the predictions' images, -1 where there is none or several."""
    row_of: dict[str, int] = {}
    for row, image in enumerate(annotations.images):
        row_of[annotated(image)] = -1 if annotated(image) in row_of else row
    row_of[""] = -1
    return np.array([row_of.get(predicted(image), -1) for image in predictions.images], np.int64)


def _path(name: str) -> str:
    """Return a file name as other programs may write it: with slashes, and letters and accents as one character."""
    return unicodedata.normalize("NFC", name.replace("\\", "/")).removeprefix("./")


def _base(name: str) -> str:
    return PurePosixPath(_path(name)).name


def _stem(name: str) -> str:
    """Return the name without folder and extension; a number without leading zeros, as in COCO's file names."""
    stem = PurePosixPath(_path(name)).stem
    return str(int(stem)) if stem.isdecimal() else stem


_KEYS: tuple[tuple[Key, Key], ...] = (
    (lambda image: _path(image.name), lambda image: _path(image.name)),
    (lambda image: _base(image.name), lambda image: _base(image.name)),
    (lambda image: image.id, lambda image: image.id),
    # AlphaPose writes the file name as the image's id, Ultralytics the file name without extension, as a number if
    # it is one.
    (lambda image: _base(image.name), lambda image: _base(image.id)),
    (lambda image: _stem(image.name), lambda image: _stem(image.id)),
)
"""What images are matched by, in order of preference: a property of annotated and one of predicted images.

File names come before ids, because two exports of the same images may number them differently.
"""


def _in_order_of_ids(images: list[ImageKey]) -> list[int]:
    """Return the rows of images by their id as COCO's evaluation sorts them: as numbers if all are."""
    ids = [image.id for image in images]
    if all(id.isdecimal() for id in ids):
        return sorted(range(len(images)), key=lambda row: int(ids[row]))
    return sorted(range(len(images)), key=lambda row: ids[row])
