"""Prediction of the people in images, and drawing of the predicted poses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from splitpose import images
from splitpose.crops.geometry import ImagePyramid
from splitpose.drawing import draw_prediction
from splitpose.errors import InputError, one_line, printable
from splitpose.files import atomic_file
from splitpose.inference.boxes import InstanceBox, initial_region
from splitpose.inference.drawing_path import drawing_path
from splitpose.inference.inputs import InputFile
from splitpose.inference.pose_model import EMPTY_POSE, PoseModel, Prediction
from splitpose.inference.predict_options import PredictOptions
from splitpose.inference.prefetch import prefetch
from splitpose.inference.sliding_window import joints_crop_policy, search_people

PREFETCH_DEPTH = 4
"""Number of images that are read ahead, and of images that are predicted ahead."""


@dataclass(frozen=True)
class ImageResult:
    """An image (H, W, 3) uint8 BGR and the predictions of its instances, by id.

    warning: what could not be read; has_all_rows: whether the image is complete in spite of it; frames: number of
    frames of an animation, of which the first is predicted.
    """

    file: InputFile
    pixels: np.ndarray
    predictions: Sequence[tuple[str, Prediction]] = ()
    warning: str | None = None
    has_all_rows: bool = True
    frames: int = 1


def predict_images(
    files: Sequence[InputFile],
    instances: Mapping[InputFile, Sequence[InstanceBox]],
    model: PoseModel,
    options: PredictOptions,
) -> Iterator[ImageResult | str]:
    """Yield the result of each image in order, or an error message for an image that cannot be predicted."""
    read = prefetch((_read(file) for file in files), PREFETCH_DEPTH)
    return prefetch(
        (
            image if isinstance(image, str) else _try_to_predict(image, instances[image.file], model, options)
            for image in read
        ),
        PREFETCH_DEPTH,
    )


def write_drawing(result: ImageResult, out: Path) -> None:
    """Write the image with its poses drawn into the folder `out`, under the input's name.

    An image in a format that cannot be written becomes NAME.jpg.

    Raises:
        InputError: the image cannot be written.
    """
    path = drawing_path(out, result.file.name)
    if not cv2.haveImageWriter(str(path)):
        path = drawing_path(out, result.file.name, ".jpg")
    for _, prediction in result.predictions:
        if prediction.region:
            draw_prediction(result.pixels, prediction.joints, prediction.confidence, prediction.region)
    with atomic_file(path) as temporary:
        if not cv2.imwrite(str(temporary), result.pixels):
            raise InputError(f"{printable(path)}: could not be written; check the free disk space")


def _read(file: InputFile) -> ImageResult | str:
    try:
        image = images.load(file.path)
        frames = images.count_frames(file.path.read_bytes())
        return ImageResult(file, image.pixels, (), image.warning, image.has_all_rows, frames)
    except Exception as error:  # one image must not stop the others, whatever is wrong with it
        return describe_error(error, file)


def describe_error(error: Exception, file: InputFile) -> str:
    """Return the message of an error that concerns one input; it starts with the input's path."""
    path = printable(file.path)
    if isinstance(error, InputError):
        return f"{path}: {str(error).removeprefix(f'{path}: ')}"
    if isinstance(error, OSError):
        return f"{path}: {one_line(error)}"
    return f"{path}: {type(error).__name__}: {one_line(error)}"


def _try_to_predict(
    image: ImageResult, instances: Sequence[InstanceBox], model: PoseModel, options: PredictOptions
) -> ImageResult | str:
    try:
        return _predict_image(image, instances, model, options)
    except Exception as error:  # as in _read
        return describe_error(error, image.file)


def _predict_image(
    image: ImageResult, instances: Sequence[InstanceBox], model: PoseModel, options: PredictOptions
) -> ImageResult:
    pyramid = ImagePyramid(image.pixels)
    height, width = image.pixels.shape[:2]
    predictions: list[tuple[str, Prediction]] = []
    for instance in instances:
        region = initial_region(instance.bbox, width, height, model.padding)
        if instance.bbox is None and options.sliding_window and model.has_confidence:
            policy = joints_crop_policy(model.joints_padding)
            people = search_people(model, pyramid, (width, height), policy, options.people)
            predictions += _name_people(instance.id, people)
        else:
            prediction = model.predict_region(pyramid, region) if region else None
            predictions.append((instance.id, prediction or EMPTY_POSE))
    return replace(image, predictions=predictions)


def _name_people(id: str, people: Sequence[Prediction]) -> list[tuple[str, Prediction]]:
    """Return the people with their ids: ID, ID@2, ID@3 ...; if there are none, an empty pose with the id ID."""
    ids = [id, *(f"{id}@{number}" for number in range(2, len(people) + 1))]
    return list(zip(ids, people or [EMPTY_POSE], strict=True))
