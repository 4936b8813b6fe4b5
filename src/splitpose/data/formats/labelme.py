"""Reader of labelme's files: one JSON for each image.

Source: labelme/label_file.py, and issue 925 of wkentaro/labelme for the groups.

    {"version": "5.4.1", "flags": {}, "imagePath": "a.jpg", "imageData": null, "imageHeight": 480,
     "imageWidth": 640, "shapes": [
       {"label": "nose", "points": [[310.5, 200.0]], "group_id": 1, "shape_type": "point", "flags": {}},
       {"label": "person", "points": [[60, 40], [180, 300]], "group_id": 1, "shape_type": "rectangle"}]}

Points with the same `group_id` are one person. `imagePath` is relative to the JSON. `imageData` (the image in
base64) is ignored.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from splitpose.data.formats.annotation_set import AnnotationSet
from splitpose.data.formats.image_sizes import size_of
from splitpose.data.formats.json_content import load
from splitpose.data.formats.json_keys import JsonKeys, json_keys
from splitpose.data.formats.labelled_points import (
    LabelledBox,
    LabelledImage,
    LabelledPoint,
    annotation_set,
    corners_of,
)
from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError, some_of
from splitpose.progress import track

FORMAT = "labelme"


def read(path: Path, joint_names: JointNames) -> AnnotationSet:
    """Read one JSON of labelme, or all of a folder (without its subfolders).

    Raises:
        InputError: A file is damaged, or no point is named after a joint.
    """
    files = [path] if path.is_file() else labelme_files(path)
    images, problems = list[LabelledImage](), list[str]()
    for file in track(files, f"reading annotations of {path.name}", len(files), "files"):
        content = load(file)
        content.pop("imageData", None)
        try:
            images.append(_image(file, content))
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            problems.append(f"{file.name}: {reason}")
    if problems:
        raise InputError(f"{path}: {len(problems):,} of {len(files):,} files are invalid: {some_of(problems)}")
    return annotation_set(path, FORMAT, images, joint_names)


def labelme_files(folder: Path) -> list[Path]:
    """Return the JSONs of labelme in a folder, sorted, without those of other formats."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() == ".json" and file.name[0] != ".")
    return [file for file in files if file.is_file() and is_labelme(json_keys(file))]


def is_labelme(keys: JsonKeys) -> bool:
    """Return whether a JSON with these keys is one of labelme."""
    return not keys.is_list and bool({"shapes", "imagePath", "imageData"} & keys.top)


def _image(file: Path, content: Mapping[str, Any]) -> LabelledImage:
    """Return the image of a file. Raises KeyError, TypeError or ValueError for an invalid entry."""
    shapes = content["shapes"]
    points = [
        LabelledPoint(str(shape["label"]), *_pairs(shape)[0], shape.get("group_id"))
        for shape in shapes
        if shape.get("shape_type") == "point"
    ]
    boxes = [_box(shape) for shape in shapes if shape.get("shape_type") == "rectangle"]
    name = os.path.normpath(str(content["imagePath"]).replace("\\", "/"))
    width, height = content.get("imageWidth"), content.get("imageHeight")
    if not width or not height:  # versions before 3.11 did not write them
        size = size_of(file.parent / name)
        if size is None:
            raise ValueError(f"imageWidth and imageHeight are missing, and {name} is not beside the file")
        width, height = size
    return LabelledImage(file.stem, name, int(width), int(height), points, boxes)


def _box(shape: Mapping[str, Any]) -> LabelledBox:
    xs, ys = zip(*_pairs(shape), strict=True)
    corners = corners_of(min(xs), min(ys), max(xs), max(ys))
    return LabelledBox(corners, shape.get("group_id"), str(shape["label"]))


def _pairs(shape: Mapping[str, Any]) -> list[tuple[float, float]]:
    pairs = [(float(x), float(y)) for x, y in shape["points"]]
    if not pairs:
        raise ValueError(f"shape {shape['label']!r} has no points")
    return pairs
