"""Schema of COCO keypoint JSONs, and the mapping of their keypoint names to the skeleton's joints.

Validation is strict: text is not converted to numbers, nor numbers and booleans to text. Unknown keys are ignored.
"""

from codecs import BOM_UTF8
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError
from splitpose.skeleton import FULL_NAMES

ADVICE = "; provide a COCO keypoints JSON"
_NAMES = JointNames()


def load(path: Path) -> "CocoDataset":
    """Read and validate a COCO keypoints JSON.

    Raises InputError naming the file, the first invalid entry and key, and the problem.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}{ADVICE}") from error
    try:
        return CocoDataset.model_validate_json(data.removeprefix(BOM_UTF8))
    except ValidationError as error:
        raise InputError(f"{path}: {_describe(error.errors(include_url=False, include_input=False)[0])}") from error


def _describe(error: Any) -> str:
    """Return pydantic's first error as text: the key, the problem, and advice if the file is not COCO at all."""
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    problem = error["msg"].removeprefix("Value error, ")
    is_coco = len(error["loc"]) > 1 or error["type"] == "value_error"
    return f"{f'{key}: ' if key else ''}{problem}{'' if is_coco else ADVICE}"


def _as_id(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("Input should be an integer or a string")
    return str(value)


def _check_file_name(value: str) -> str:
    if not value or "\0" in value:
        raise ValueError("Input should be a file path")
    return value


def _check_unique_joints(names: list[str] | None) -> list[str] | None:
    first: dict[str, str] = {}
    for name in names or []:
        for joint in _NAMES.indices([name]):
            if joint in first:
                raise ValueError(f"{first[joint]!r} and {name!r} both mean {FULL_NAMES[joint]}; rename one of them")
            first[joint] = name
    return names


def _check_triplets(keypoints: list[float] | None) -> list[float]:
    values = keypoints or []
    if len(values) % 3:
        raise ValueError(f"{len(values)} values are not a multiple of 3 (x, y and visibility of each keypoint)")
    for start in range(0, len(values), 3):
        x, y, visibility = values[start : start + 3]
        if visibility not in (0, 1, 2):
            raise ValueError(f"visibility of keypoint {start // 3} is {visibility:g}; it should be 0, 1 or 2")
        if visibility and not (np.isfinite(x) and np.isfinite(y)):
            raise ValueError(
                f"keypoint {start // 3} is annotated at {x:g}, {y:g}; set finite coordinates or visibility 0"
            )
    return values


MAX_SIDE = 2**20
"""Largest width or height, px, of an image that OpenCV reads."""

Id = Annotated[str, BeforeValidator(_as_id)]
Pixels = Annotated[int, Field(gt=0, le=MAX_SIDE)]
Coordinate = Annotated[float, Field(ge=-MAX_SIDE, le=MAX_SIDE, allow_inf_nan=False)]
Bbox = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
"""x, y, width, height in px; pixel corners are at integers."""


class Record(BaseModel):
    """Base of all parts of a COCO JSON."""

    model_config = ConfigDict(frozen=True, strict=True)


class CocoImage(Record):
    """An entry of `images`; unknown keys are kept, because one of them may be the group."""

    model_config = ConfigDict(extra="allow")
    id: Id
    file_name: Annotated[str, AfterValidator(_check_file_name)]
    width: Pixels
    height: Pixels

    @property
    def path(self) -> PurePosixPath:
        """Path of the file, relative to the folder of images."""
        return PurePosixPath(self.file_name)


class CocoCategory(Record):
    """An entry of `categories`."""

    id: Id
    keypoints: Annotated[list[str] | None, AfterValidator(_check_unique_joints)] = None

    @property
    def joint_indices(self) -> dict[str, int]:
        """Index in `keypoints` of each joint of the skeleton that the category has."""
        return _NAMES.indices(self.keypoints or [])


class CocoAnnotation(Record):
    """An entry of `annotations`: one person instance; `keypoints` is x, y, visibility of each keypoint in turn."""

    id: Id
    image_id: Id
    category_id: Id
    iscrowd: Literal[0, 1, False, True] = 0
    keypoints: Annotated[list[float] | None, AfterValidator(_check_triplets)] = None
    bbox: Bbox | None = None


class CocoDataset(Record):
    """A COCO keypoints JSON with unique ids and valid references between its parts."""

    images: list[CocoImage]
    categories: list[CocoCategory]
    annotations: list[CocoAnnotation]

    def annotated_images(self) -> list[PurePosixPath]:
        """Return the paths of the images that have annotations, in order, without those outside their folder."""
        annotated = {annotation.image_id for annotation in self.annotations}
        paths = [image.path for image in self.images if image.id in annotated]
        return [path for path in paths if not path.is_absolute() and ".." not in path.parts]

    @model_validator(mode="after")
    def _check_consistency(self) -> "CocoDataset":
        _check_unique("images", "id", [image.id for image in self.images])
        _check_unique("images", "file_name", [str(image.path) for image in self.images])
        _check_unique("categories", "id", [category.id for category in self.categories])
        _check_unique("annotations", "id", [annotation.id for annotation in self.annotations])
        keypoint_counts = _keypoint_counts(self.categories)
        images = {image.id for image in self.images}
        categories = {category.id for category in self.categories}
        for index, annotation in enumerate(self.annotations):
            where = f"annotations[{index}]"
            if annotation.image_id not in images:
                raise ValueError(f"{where}.image_id: {annotation.image_id!r} is not the id of any image")
            if annotation.category_id not in categories:
                raise ValueError(f"{where}.category_id: {annotation.category_id!r} is not the id of any category")
            count = len(annotation.keypoints or []) // 3
            expected = keypoint_counts.get(annotation.category_id, count)
            if count and count != expected:
                raise ValueError(f"{where}.keypoints: there are {count}, but the category has {expected} keypoints")
        return self


def _keypoint_counts(categories: list[CocoCategory]) -> dict[str, int]:
    """Return the number of keypoints of each category that has any joint of the skeleton."""
    counts = {category.id: len(category.keypoints or []) for category in categories if category.joint_indices}
    if not counts:
        names = ", ".join(repr(name) for category in categories for name in category.keypoints or [])
        raise ValueError(
            f"categories: no keypoint has the name of one of the 11 joints (such as left_shoulder); "
            f"found {names or 'none'}"
        )
    return counts


def _check_unique(part: str, key: str, values: list[str]) -> None:
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        if value in first:
            raise ValueError(f"{part}[{index}].{key}: {value!r} is already the {key} of {part}[{first[value]}]")
        first[value] = index
