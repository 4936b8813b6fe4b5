"""Reader of the structure of COCO keypoint JSONs: images, categories and annotations with valid references.

Validation is strict: text is not converted to numbers, nor numbers and booleans to text. Unknown keys of
annotations, such as segmentations, are skipped without creating objects, so that files of 500 MB can be read.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec import Raw, Struct

from splitpose.data.formats.coco_keypoints import find_problems
from splitpose.data.formats.json_file import LARGE, read_json
from splitpose.errors import InputError, some_of
from splitpose.progress import track

ADVICE = "; provide a COCO keypoints JSON"

MAX_SIDE = 2**20
"""Largest width or height, px, of an image that OpenCV reads."""

Id = int | float | str

_TYPES = {
    "int": "a number",
    "float": "a number",
    "str": "text",
    "bool": "a boolean",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
"""Types in msgspec's messages, for the user."""
Entry = TypeVar("Entry")


class CocoCategory(Struct, frozen=True):
    """An entry of `categories`."""

    id: str
    keypoints: list[str]
    """Names of the keypoints, empty if there are none."""


class CocoAnnotation(Struct, frozen=True, gc=False):
    """An entry of `annotations`: one person instance."""

    id: str
    image: int
    """Index in `images`."""
    category: str
    """Id of the category."""
    is_crowd: bool
    bbox: tuple[float, float, float, float] | None
    """x, y, width, height in px with pixel corners at integers; None without a box."""
    keypoints: np.ndarray
    """Values as in the file, x, y, visibility of each keypoint in turn; null is NaN."""
    num_keypoints: object
    """Value of this key, of any type."""


class CocoDataset(Struct, frozen=True):
    """A COCO keypoints JSON with unique ids and valid references between its parts."""

    images: list[dict[str, Any]]
    """Entries of `images` with all their keys; id is text, and width and height are 0 where they are not given."""
    categories: list[CocoCategory]
    """Empty if the file has none; the category of all annotations is then ""."""
    annotations: list[CocoAnnotation]
    notes: tuple[str, ...]
    """Remarks on values that are missing, one line each."""

    def annotated_images(self) -> list[PurePosixPath]:
        """Return the paths of the images that have annotations, in order, without those outside their folder."""
        used = sorted({annotation.image for annotation in self.annotations})
        paths = [PurePosixPath(self.images[index]["file_name"]) for index in used]
        return [path for path in paths if not path.is_absolute() and ".." not in path.parts]


def load(path: Path) -> CocoDataset:
    """Read and validate a COCO keypoints JSON; progress is displayed for large files.

    Raises:
        InputError: The file is invalid. The number of invalid entries is stated, with index, key and problem of the
            first ones.
    """
    file = _split(path, read_json(path, ADVICE))
    images = _images(path, file.images)
    categories = _categories(path, file.categories or [])
    notes: Counter[str] = Counter()
    annotations = _annotations(path, file.annotations, images, categories, notes)
    return CocoDataset(
        images, categories, annotations, tuple(f"{note}: {count:,}" for note, count in notes.items())
    )


def raise_if_invalid(path: Path, problems: Sequence[str], total: int) -> None:
    """Raise InputError with the number of problems and the first few, if there are any.

    Args:
        path: the file.
        problems: a text for each invalid entry, "<part>[<index>].<key>: <problem>".
        total: number of entries that were checked.
    """
    if len(problems) == 1:
        raise InputError(f"{path}: {problems[0]}")
    if problems:
        part = problems[0].partition("[")[0]
        raise InputError(f"{path}: {len(problems):,} of the {total:,} {part} are invalid: {some_of(problems)}")


# The fields are those of the file. Values that tools write for "not given" are accepted by the types.


class _File(Struct):
    images: list[Raw]
    annotations: list[Raw]
    categories: list[Raw] | None = None


class _Image(Struct):
    id: Id
    file_name: str
    width: int | float | None = None
    height: int | float | None = None


class _Category(Struct):
    id: Id
    keypoints: list[str] | None = None


class _Annotation(Struct, gc=False):
    id: Id
    image_id: Id
    category_id: Id | None = None
    iscrowd: int | float | bool | None = None
    keypoints: list[float | None] | None = None
    bbox: list[float | None] | None = None
    num_keypoints: Any = None


class _InvalidEntryError(Exception):
    """A problem of an entry; the message starts with the key."""


def _split(path: Path, data: bytes | bytearray) -> _File:
    """Return the entries of the three parts as views of `data` that are not parsed yet."""
    try:
        return msgspec.json.decode(data, type=_File)
    except msgspec.ValidationError as error:
        key, problem = _key_and_problem(error)
        raise InputError(f"{path}: {f'{key}: ' if key else ''}{problem}{ADVICE}") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: Invalid JSON: {_describe_syntax(error)}{ADVICE}") from error


def _decode(part: str, raws: Iterable[Raw], type_: type[Entry], problems: list[str]) -> Iterator[tuple[int, Entry]]:
    """Yield index and content of each valid entry, and append a text to `problems` for each other one."""
    decoder = msgspec.json.Decoder(type_)
    for index, raw in enumerate(raws):
        try:
            entry = decoder.decode(raw)
        except msgspec.ValidationError as error:
            key, problem = _key_and_problem(error)
            problems.append(f"{part}[{index}]{f'.{key}' if key else ''}: {problem}")
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            problems.append(f"{part}[{index}]: {_describe_syntax(error)}")
        else:
            yield index, entry


def _key_and_problem(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return key and problem of an error such as "Expected `int`, got `str` - at `$.id`"."""
    problem, _, location = str(error).partition(" - at ")
    key = location.strip("`").removeprefix("$").removeprefix(".")
    if missing := re.fullmatch("Object missing required field `(.*)`", problem):
        return missing[1], "the key is missing"
    if types := re.fullmatch("Expected `(.*)`, got `(.*)`", problem):
        expected = dict.fromkeys(_TYPES[name] for name in types[1].split(" | ") if name != "null")
        return key, f"should be {' or '.join(expected)}, not {_TYPES[types[2]]}"
    return key, problem


def _describe_syntax(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"text that is not UTF-8 ({error.object[:40]!r}); save the file as UTF-8"
    return str(error).removeprefix("JSON is malformed: ")


def _images(path: Path, raws: list[Raw]) -> list[dict[str, Any]]:
    problems: list[str] = []
    images: list[dict[str, Any]] = []
    decoder = msgspec.json.Decoder(dict[str, Any])
    for index, image in _decode("images", raws, _Image, problems):
        try:
            if not image.file_name or "\0" in image.file_name:
                raise _InvalidEntryError("file_name: it should be the path of a file")
            known = {"id": _id("id", image.id), "file_name": image.file_name}
            size = {"width": _side("width", image.width), "height": _side("height", image.height)}
            images.append(decoder.decode(raws[index]) | known | size)
        except (_InvalidEntryError, msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            text = str(error) if isinstance(error, _InvalidEntryError) else _describe_syntax(error)
            problems.append(f"images[{index}].{text}")
    raise_if_invalid(path, problems, len(raws))
    _check_unique(path, "images", "id", [image["id"] for image in images])
    _check_unique(path, "images", "file_name", [str(PurePosixPath(image["file_name"])) for image in images])
    return images


def _categories(path: Path, raws: list[Raw]) -> list[CocoCategory]:
    problems: list[str] = []
    categories = []
    for index, category in _decode("categories", raws, _Category, problems):
        try:
            categories.append(CocoCategory(_id("id", category.id), category.keypoints or []))
        except _InvalidEntryError as error:
            problems.append(f"categories[{index}].{error}")
    raise_if_invalid(path, problems, len(raws))
    _check_unique(path, "categories", "id", [category.id for category in categories])
    return categories


def _annotations(
    path: Path, raws: list[Raw], images: list[dict[str, Any]], categories: list[CocoCategory], notes: Counter[str]
) -> list[CocoAnnotation]:
    """Return the valid annotations; count those with missing values in `notes`."""
    problems: list[str] = []
    rows = {image["id"]: row for row, image in enumerate(images)}
    category_ids = [category.id for category in categories]
    is_large = path.stat().st_size >= LARGE
    entries = track(raws, f"checking {path.name}", len(raws), "people") if is_large else raws
    annotations = []
    for index, entry in _decode("annotations", entries, _Annotation, problems):
        try:
            annotations.append(_annotation(entry, rows, category_ids, notes))
        except _InvalidEntryError as error:
            problems.append(f"annotations[{index}].{error}")
    raise_if_invalid(path, problems, len(raws))
    _check_unique(path, "annotations", "id", [annotation.id for annotation in annotations])
    _check_keypoints(path, [annotation.keypoints for annotation in annotations])
    return annotations


def _annotation(
    entry: _Annotation, rows: dict[str, int], category_ids: Sequence[str], notes: Counter[str]
) -> CocoAnnotation:
    image_id = _id("image_id", entry.image_id)
    if image_id not in rows:
        raise _InvalidEntryError(f"image_id: {image_id!r} is not the id of any image")
    if entry.iscrowd not in (None, 0, 1):
        raise _InvalidEntryError(f"iscrowd: {entry.iscrowd} should be 0 or 1")
    bbox = _bbox(entry.bbox)
    if bbox is None:
        notes["people without a bounding box (bbox is missing, null, empty, without area or of size -1)"] += 1
    if entry.category_id is None and category_ids:
        notes["people without category_id, who are of the only category"] += 1
    return CocoAnnotation(
        _id("id", entry.id),
        rows[image_id],
        _category(entry.category_id, category_ids),
        bool(entry.iscrowd),
        bbox,
        np.array(entry.keypoints or (), np.float64),
        entry.num_keypoints,
    )


def _category(value: Id | None, category_ids: Sequence[str]) -> str:
    if not category_ids:
        return ""
    if value is None:
        if len(category_ids) > 1:
            raise _InvalidEntryError(
                f"category_id: the key is missing, and there are {len(category_ids)} categories"
            )
        return category_ids[0]
    category_id = _id("category_id", value)
    if category_id not in category_ids:
        raise _InvalidEntryError(f"category_id: {category_id!r} is not the id of any category")
    return category_id


def _bbox(values: list[float | None] | None) -> tuple[float, float, float, float] | None:
    """Return a bounding box, None for what tools write if there is none.

    These are an empty list, null in place of a number, a side of 0 (as in [0, 0, 0, 0]) and one of -1. Other
    negative sides are kept, because they are a mistake that validation reports.
    """
    if not values:
        return None
    if len(values) != 4:
        raise _InvalidEntryError(f"bbox: has {len(values)} numbers; it should be x, y, width and height")
    x, y, width, height = values
    if x is None or y is None or width is None or height is None:
        return None
    if max(map(abs, (x, y, width, height))) > MAX_SIDE:
        raise _InvalidEntryError(f"bbox: a number is beyond {MAX_SIDE:,} px")
    return None if width in (0, -1) or height in (0, -1) else (x, y, width, height)


def _side(key: str, value: float | None) -> int:
    """Return the width or height of an image, 0 for what tools write if it is unknown: null, 0 or -1."""
    if value is None or value in (0, -1):
        return 0
    if not 0 < value <= MAX_SIDE or value != int(value):
        raise _InvalidEntryError(f"{key}: {value} should be an integer from 1 to {MAX_SIDE:,}")
    return int(value)


def _id(key: str, value: Id) -> str:
    if isinstance(value, float):
        if not value.is_integer():
            raise _InvalidEntryError(f"{key}: {value} should be an integer or text")
        value = int(value)
    return str(value)


def _check_keypoints(path: Path, keypoints: list[np.ndarray]) -> None:
    """Raise InputError if keypoints are not triplets, or have an invalid visibility."""
    problems: dict[int, str] = {}
    lengths = np.array([values.size for values in keypoints], np.int64)
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length).tolist()
        if length % 3:
            text = f"{length} values are not a multiple of 3 (x, y and visibility of each keypoint)"
            problems |= dict.fromkeys(rows, text)
        elif length:
            triplets = np.array([keypoints[row] for row in rows]).reshape(len(rows), -1, 3)
            problems |= {rows[index]: text for index, text in find_problems(triplets).items()}
    texts = [f"annotations[{row}].keypoints: {problems[row]}" for row in sorted(problems)]
    raise_if_invalid(path, texts, len(keypoints))


def _check_unique(path: Path, part: str, key: str, values: list[str]) -> None:
    first: dict[str, int] = {}
    problems = []
    for index, value in enumerate(values):
        if first.setdefault(value, index) != index:
            problems.append(f"{part}[{index}].{key}: {value!r} is already the {key} of {part}[{first[value]}]")
    raise_if_invalid(path, problems, len(values))
