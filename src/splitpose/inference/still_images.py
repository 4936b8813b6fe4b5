"""People in pictures: each picture is looked at, once a person, and drawn."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from splitpose import images
from splitpose.crops.geometry import ImagePyramid
from splitpose.drawing import draw_look
from splitpose.errors import InputError
from splitpose.files import atomic_file
from splitpose.inference.boxes import Person, square
from splitpose.inference.inputs import Input
from splitpose.inference.pose_model import NOBODY, Look, Model
from splitpose.inference.predict_options import PredictOptions
from splitpose.inference.prefetch import prefetch
from splitpose.inference.sliding_window import region_around_joints, search

DEPTH = 4
"""Pictures that are read, and that are looked at, before they are asked for."""


@dataclass(frozen=True)
class Still:
    """A picture (H, W, 3) uint8 BGR and who is in it."""

    input: Input
    pixels: np.ndarray
    looks: Sequence[tuple[Person, Look]] = ()


def look_at(
    inputs: Sequence[Input], people: Mapping[Input, Sequence[Person]], model: Model, how: PredictOptions
) -> Iterator[Still | str]:
    """The pictures with what was found, in order, or for one that cannot be used a line that says why."""
    read = prefetch((_read(each) for each in inputs), DEPTH)
    return prefetch((_looked_at(still, people, model, how) for still in read), DEPTH)


def draw(still: Still, out: Path) -> None:
    """Write the picture with its people drawn below the folder `out`, under its name.

    A picture of a kind that cannot be written becomes NAME.jpg. Raises InputError where it cannot be written.
    """
    path = out / still.input.name
    if not cv2.haveImageWriter(str(path)):
        path = path.with_name(f"{path.name}.jpg")
    for _, look in still.looks:
        if look.region:
            draw_look(still.pixels, look.joints, look.confidence, look.region)
    with atomic_file(path) as beside:
        if not cv2.imwrite(str(beside), still.pixels):
            raise InputError(f"{path}: could not be written; is there room?")


def _read(input: Input) -> Still | str:
    try:
        return Still(input, images.read(input.path))
    except (InputError, OSError) as error:
        return str(error)


def _looked_at(
    still: Still | str, people: Mapping[Input, Sequence[Person]], model: Model, how: PredictOptions
) -> Still | str:
    if isinstance(still, str):
        return still
    height, width = still.pixels.shape[:2]
    picture = ImagePyramid(still.pixels)
    looks = []
    for person in people[still.input]:
        try:
            region = square(person.box, width, height, model.margin)
        except InputError as error:
            return f"{still.input.path}: {error}"
        if person.box is None and how.search and model.gives_confidence:
            look = search(model, picture, (width, height), region_around_joints(model.joints_margin))
        else:
            look = model.look(picture, region) if region else None
        looks.append((person, look or NOBODY))
    return Still(still.input, still.pixels, looks)
