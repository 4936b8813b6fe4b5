"""Reader of Label Studio's JSON and JSON_MIN exports.

Source: labelstud.io, "Label Studio Task Format" and the tag KeyPointLabels; label_studio_converter.converter, which
writes JSON_MIN and converts coordinates to px; issue 6502 of HumanSignal/label-studio for the groups.

JSON: a list of tasks, each with `data` and `annotations` (formerly `completions`), whose `result` lists regions:

    {"id": "k1", "type": "keypointlabels", "parentID": "r1", "original_width": 640, "original_height": 480,
     "value": {"x": 48.4, "y": 41.7, "width": 0.5, "keypointlabels": ["left_shoulder"]}}
    {"id": "r1", "type": "rectanglelabels", ..., "value": {"x": 10, "y": 5, "width": 50, "height": 90, ...}}
    {"type": "relation", "from_id": "k1", "to_id": "k2", "direction": "right"}

JSON_MIN: a list of tasks with the keys of `data` and, for each control tag, a list of such values.

Coordinates are percentages of the image. Regions that a parentID or a relation connects are one person.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from splitpose.data.formats.annotation_set import AnnotationSet
from splitpose.data.formats.json_content import load
from splitpose.data.formats.json_keys import JsonKeys
from splitpose.data.formats.labelled_points import (
    Corners,
    LabelledBox,
    LabelledImage,
    LabelledPoint,
    annotation_set,
    corners_of,
)
from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError, some_of

FORMAT = "Label Studio JSON"
FORMAT_MIN = "Label Studio JSON_MIN"
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".avif")
ANNOTATIONS = ("annotations", "completions")

Region = Mapping[str, Any]


def read(path: Path, joint_names: JointNames) -> AnnotationSet:
    """Read Label Studio's export as JSON or JSON_MIN.

    Of several annotations of a task, the ground truth is read, or else the latest that was not cancelled.

    Raises:
        InputError: The file is damaged, or no keypoint is named after a joint.
    """
    content = load(path)
    tasks = content if isinstance(content, list) else [content]
    images, problems, counts = list[LabelledImage](), list[str](), Counter[str]()
    is_min = not any(isinstance(task, dict) and _annotations(task) is not None for task in tasks)
    for index, task in enumerate(tasks):
        try:
            regions = _min_regions(task) if is_min else _regions(task, counts)
            if image := _image(task if is_min else task["data"], str(task.get("id", index)), regions):
                images.append(image)
            else:
                counts["tasks without keypoints"] += 1
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            problems.append(f"task {index}: {reason}")
    if problems:
        raise InputError(f"{path}: {len(problems):,} of {len(tasks):,} tasks are invalid: {some_of(problems)}")
    if not images:
        listing = ", ".join(f"{count:,} {text}" for text, count in counts.items()) or "no tasks"
        raise InputError(f"{path}: no annotated keypoints ({listing}); export annotated tasks as JSON")
    notes = [f"{count:,} {text}" for text, count in counts.items()]
    return annotation_set(path, FORMAT_MIN if is_min else FORMAT, images, joint_names, notes=notes)


def is_label_studio(keys: JsonKeys) -> bool:
    """Return whether a JSON with these keys is an export of Label Studio, of tasks with keypoints or without."""
    if keys.is_list:
        return bool(set(ANNOTATIONS) & keys.top) or "keypointlabels" in keys.inner
    return "data" in keys.top and bool({*ANNOTATIONS, "predictions"} & keys.top)


def _annotations(task: Mapping[str, Any]) -> list[Any] | None:
    """Return the annotations of a task, None if it is one of JSON_MIN."""
    values = (task[key] for key in ANNOTATIONS if isinstance(task.get(key), list))
    return next((value for value in values if not value or "result" in value[0]), None)


def _regions(task: Mapping[str, Any], counts: Counter[str]) -> list[Region]:
    """Return the regions of the annotation that is read."""
    annotations = [
        annotation
        for annotation in _annotations(task) or []
        if not annotation.get("was_cancelled") and not annotation.get("skipped")
    ]
    if not annotations:
        return []
    if len(annotations) > 1:
        counts["annotations were not read, because their tasks have several"] += len(annotations) - 1
    latest = max(
        annotations,
        key=lambda one: (bool(one.get("ground_truth")), str(one.get("updated_at") or one.get("created_at") or "")),
    )
    return [region for region in latest["result"] if isinstance(region, dict)]


def _min_regions(task: Mapping[str, Any]) -> list[Region]:
    """Return the values of all control tags of a task in JSON_MIN as regions."""
    lists = (value for value in task.values() if isinstance(value, list))
    return [{"value": value} | value for values in lists for value in values if isinstance(value, dict)]


def _image(data: Mapping[str, Any], key: str, regions: list[Region]) -> LabelledImage | None:
    """Return the image of a task, None if it has no keypoints."""
    groups = _groups(regions)
    keypoints = [region for region in regions if _point_label(region)]
    if not keypoints:
        return None
    width, height = (int(keypoints[0][f"original_{side}"]) for side in ("width", "height"))
    points, boxes = list[LabelledPoint](), list[LabelledBox]()
    for region in keypoints:
        value = region["value"]
        x, y = _finite(value["x"]) / 100 * width, _finite(value["y"]) / 100 * height
        points.append(LabelledPoint(_point_label(region), x, y, groups.get(region.get("id"))))
    for region in regions:
        if (label := _box_label(region)) is not None:
            corners = _corners(region["value"], width, height)
            boxes.append(LabelledBox(corners, groups.get(region.get("id")), label))
    columns = {name: value for name, value in data.items() if isinstance(value, str | int)}
    return LabelledImage(key, _file_name(data), width, height, points, boxes, columns)


def _point_label(region: Region) -> str:
    """Return the label of a keypoint, "" for a region of another type."""
    value = region.get("value", {})
    labels = value.get("keypointlabels") or (value.get("labels") if "height" not in value else None)
    return str(labels[0]) if labels and "x" in value else ""


def _box_label(region: Region) -> str | None:
    """Return the label of a rectangle, None for a region of another type."""
    value = region.get("value", {})
    if not {"x", "y", "width", "height"} <= value.keys() or "keypointlabels" in value or "ellipselabels" in value:
        return None
    labels = value.get("rectanglelabels") or value.get("labels") or [""]
    return str(labels[0])


def _groups(regions: list[Region]) -> dict[Hashable, Hashable]:
    """Return the group of each region that a parentID or a relation connects with others."""
    pairs = [(region["id"], region["parentID"]) for region in regions if region.get("parentID") and "id" in region]
    pairs += [(region["from_id"], region["to_id"]) for region in regions if region.get("type") == "relation"]
    groups: dict[Hashable, Hashable] = {}
    for first, second in pairs:
        old, new = groups.get(first, first), groups.get(second, second)
        groups |= {first: new, second: new}
        groups |= {region: new for region, group in groups.items() if group == old}
    return groups


def _corners(value: Mapping[str, Any], width: int, height: int) -> Corners:
    """Return the corners in px of a rectangle, which may be rotated clockwise around its upper left corner."""
    x, y = _finite(value["x"]) / 100 * width, _finite(value["y"]) / 100 * height
    w, h = _finite(value["width"]) / 100 * width, _finite(value["height"]) / 100 * height
    angle = math.radians(_finite(value.get("rotation") or 0))
    cos, sin = math.cos(angle), math.sin(angle)
    corners = [(x + dx * cos - dy * sin, y + dx * sin + dy * cos) for dx, dy in ((0, 0), (w, 0), (0, h), (w, h))]
    xs, ys = zip(*corners, strict=True)
    return corners_of(min(xs), min(ys), max(xs), max(ys))


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _file_name(data: Mapping[str, Any]) -> str:
    """Return the path of the image in its URL: of a local file, an upload, a bucket or another server."""
    texts = [text for text in data.values() if isinstance(text, str)]
    url = next(_paths(texts), None) or str(data.get("image") or next(iter(texts), ""))
    if not url:
        raise ValueError("no image is named")
    return url


def _paths(texts: list[str]) -> Iterator[str]:
    """Yield the paths of the texts that name an image."""
    for text in texts:
        parts = urlsplit(text)
        local = parse_qs(parts.query).get("d")  # /data/local-files/?d=folder/a.jpg
        path = local[0] if local else unquote(parts.path)
        if PurePosixPath(path.lower()).suffix in IMAGE_SUFFIXES:
            yield path
