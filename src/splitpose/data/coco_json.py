"""What a COCO keypoints JSON may hold, checked entry by entry, and which of its keypoints are the 11 joints.

Numbers are no text here, and texts and truth values are no numbers. Keys that are not used are ignored.
"""

import re
from codecs import BOM_UTF8
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from splitpose.errors import InputError
from splitpose.skeleton import FULL_NAMES, JOINTS


def load(path: Path) -> "Content":
    """What a COCO keypoints JSON holds, whole and consistent.

    Raises InputError naming the file, the first entry and key that is wrong, and why.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a COCO keypoints JSON") from error
    try:
        return Content.model_validate_json(data.removeprefix(BOM_UTF8))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
        what = first["msg"].removeprefix("Value error, ")
        advice = "" if key or first["type"] == "value_error" else "; give a COCO keypoints JSON"
        raise InputError(f"{path}: {f'{key}: ' if key else ''}{what}{advice}") from error


def places(names: list[str]) -> dict[str, int]:
    """Where each of the 11 joints stands among names of keypoints; only of joints that are there.

    Spelling is free: "Left Shoulder", "left_shoulder", "leftShoulder", "l-shoulder", "lsho", "shoulder_left" ...
    """
    joints = [_JOINT_OF.get(re.sub(r"[\W_]", "", name.lower())) for name in names]
    return {joint: joints.index(joint) for joint in JOINTS if joint in joints}


def _spellings(joint: str) -> set[str]:
    """Ways to write a joint without signs between: leftshoulder, lshoulder, leftsho, lsho, shoulderleft ..."""
    *side, part = FULL_NAMES[joint].split()
    if not side:
        return {part}
    sides, parts = {side[0], side[0][0]}, {part, joint[1:]}
    return {spelling for s in sides for p in parts for spelling in (s + p, p + s)}


_JOINT_OF = {spelling: joint for joint in JOINTS for spelling in _spellings(joint)}


def _id(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("Input should be a whole number or text")
    return str(value)


def _file_name(value: str) -> str:
    if not value or "\0" in value:
        raise ValueError("Input should be a path of a file")
    return value


def _each_joint_once(names: list[str] | None) -> list[str] | None:
    first: dict[str, str] = {}
    for name in names or []:
        for joint in places([name]):
            if joint in first:
                raise ValueError(f"{first[joint]!r} and {name!r} both mean {FULL_NAMES[joint]}; rename one")
            first[joint] = name
    return names


def _triples(keypoints: list[float] | None) -> list[float]:
    values = keypoints or []
    if len(values) % 3:
        raise ValueError(f"{len(values)} numbers are no triples of x, y and visibility")
    for start in range(0, len(values), 3):
        x, y, visibility = values[start : start + 3]
        if visibility not in (0, 1, 2):
            raise ValueError(f"visibility of keypoint {start // 3} is {visibility:g}; it should be 0, 1 or 2")
        if visibility and not (np.isfinite(x) and np.isfinite(y)):
            raise ValueError(f"keypoint {start // 3} is annotated at {x:g}, {y:g}; give numbers, or visibility 0")
    return values


MOST_PIXELS = 2**20
"""Of a side: OpenCV reads no larger pictures."""

Id = Annotated[str, BeforeValidator(_id)]
Pixels = Annotated[int, Field(gt=0, le=MOST_PIXELS)]
Place = Annotated[float, Field(ge=-MOST_PIXELS, le=MOST_PIXELS, allow_inf_nan=False)]
Box = tuple[Place, Place, Place, Place]


class Entry(BaseModel):
    """Base of what stands in the lists."""

    model_config = ConfigDict(frozen=True, strict=True)


class Picture(Entry):
    """One of `images`; its other keys are kept, because one of them may be the group."""

    model_config = ConfigDict(extra="allow")
    id: Id
    file_name: Annotated[str, AfterValidator(_file_name)]
    width: Pixels
    height: Pixels

    @property
    def path(self) -> PurePosixPath:
        """Of the file, in a folder of pictures."""
        return PurePosixPath(self.file_name)


class Category(Entry):
    """One of `categories`."""

    id: Id
    keypoints: Annotated[list[str] | None, AfterValidator(_each_joint_once)] = None

    @property
    def joints(self) -> dict[str, int]:
        """Where each of the 11 joints stands among the keypoints; only of joints that are there."""
        return places(self.keypoints or [])


class Person(Entry):
    """One of `annotations`; `bbox` is x, y, width, height, and `keypoints` x, y, visibility of each in turn."""

    id: Id
    image_id: Id
    category_id: Id
    iscrowd: Literal[0, 1, False, True] = 0
    keypoints: Annotated[list[float] | None, AfterValidator(_triples)] = None
    bbox: Box | None = None


class Content(Entry):
    """A COCO keypoints JSON whose parts fit together."""

    images: list[Picture]
    categories: list[Category]
    annotations: list[Person]

    @model_validator(mode="after")
    def _fits_together(self) -> "Content":
        _unique("images", "id", [picture.id for picture in self.images])
        _unique("images", "file_name", [str(picture.path) for picture in self.images])
        _unique("categories", "id", [category.id for category in self.categories])
        _unique("annotations", "id", [person.id for person in self.annotations])
        named = {category.id: len(category.keypoints or []) for category in self.categories if category.joints}
        if not named:
            names = ", ".join(repr(name) for category in self.categories for name in category.keypoints or [])
            raise ValueError(
                f"categories: none of their keypoints is one of the 11 joints; found {names or 'none'}"
            )
        images = {picture.id for picture in self.images}
        categories = {category.id for category in self.categories}
        for number, person in enumerate(self.annotations):
            where = f"annotations[{number}]"
            if person.image_id not in images:
                raise ValueError(f"{where}.image_id: {person.image_id!r} is not among the images")
            if person.category_id not in categories:
                raise ValueError(f"{where}.category_id: {person.category_id!r} is not among the categories")
            given = len(person.keypoints or []) // 3
            if given and given != named.get(person.category_id, given):
                expected = named[person.category_id]
                raise ValueError(f"{where}.keypoints: there are {given}, but the category names {expected}")
        return self


def _unique(part: str, key: str, values: list[str]) -> None:
    first: dict[str, int] = {}
    for number, value in enumerate(values):
        if value in first:
            raise ValueError(f"{part}[{number}].{key}: {value!r} is already that of {part}[{first[value]}]")
        first[value] = number
