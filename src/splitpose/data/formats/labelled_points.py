"""Points and boxes that a labelling tool keeps one by one, grouped to people.

Coordinates of points are kept as the tools' own COCO exports write them, so that both exports of a project give the
same joints. Boxes have pixel corners at integers, so 0.5 px is subtracted.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from splitpose.annotations import BOX_COLUMNS
from splitpose.data.formats.annotation_set import AnnotationSet, image_frame, people_frame
from splitpose.data.joint_names import JointNames, describe_refusal, describe_unknown
from splitpose.errors import InputError
from splitpose.skeleton import INDEX, JOINTS

Corners = tuple[float, float, float, float]
"""x0, y0, x1, y1 in px; pixel corners are at integers."""

NO_POINTS = "box without keypoints"
AMBIGUOUS = "keypoints of no certain person (group a person's keypoints in the labelling tool, or draw its box)"


@dataclass(frozen=True)
class LabelledPoint:
    """A keypoint in px; `group` is shared by the keypoints of a person, None if the tool does not say."""

    name: str
    x: float
    y: float
    group: Hashable = None


@dataclass(frozen=True)
class LabelledBox:
    """A bounding box; `group` as in LabelledPoint."""

    corners: Corners
    group: Hashable = None
    label: str = ""

    def contains(self, point: LabelledPoint) -> bool:
        """Return whether a point is in the box or on its border."""
        x0, y0, x1, y1 = self.corners
        return x0 <= point.x <= x1 and y0 <= point.y <= y1

    @property
    def area(self) -> float:
        """Area in px."""
        x0, y0, x1, y1 = self.corners
        return (x1 - x0) * (y1 - y0)


@dataclass(frozen=True)
class LabelledImage:
    """An image with its points and boxes; `key` is unique in the set, and `columns` may be used as groups."""

    key: str
    file_name: str
    width: int
    height: int
    points: Sequence[LabelledPoint]
    boxes: Sequence[LabelledBox] = ()
    columns: Mapping[str, object] = field(default_factory=dict)


PERSON_LABEL = re.compile(r"person|people|human|pedestrian|player|body|^man$|^woman$", re.IGNORECASE)
"""Labels of boxes around people. If a file has any, its other boxes are around something else."""

Person = tuple[Sequence[LabelledPoint], LabelledBox | None]


def annotation_set(
    path: Path,
    format_name: str,
    images: Iterable[LabelledImage],
    joint_names: JointNames,
    skipped: Mapping[str, int] | None = None,
    notes: Sequence[str] = (),
) -> AnnotationSet:
    """Group the points of all images to people.

    Args:
        path: the file, or the folder of a format with one file per image.
        format_name: name of the format, for the user.
        images: the images with their points and boxes.
        joint_names: the joints of the points' names; points with other names are ignored.
        skipped: number of people that were skipped before, by reason.
        notes: remarks of the reader.

    Raises:
        InputError: No point has the name of a joint; a joint map that would do is shown.
    """
    images = list(images)
    names = list(dict.fromkeys(point.name for image in images for point in image.points))
    joint_of = dict(zip(names, joint_names.joints(names), strict=True))
    if not any(joint_of.values()):
        raise InputError(f"{path}: {describe_refusal(names)}")
    has_person_boxes = any(PERSON_LABEL.search(box.label) for image in images for box in image.boxes)
    counts, rows, joints = Counter(skipped or {}), [], []
    for row, image in enumerate(images):
        points = [point for point in image.points if joint_of[point.name]]
        boxes = [box for box in image.boxes if not has_person_boxes or PERSON_LABEL.search(box.label)]
        people, reasons = group_people(points, boxes, joint_of)
        counts.update(reasons)
        for number, (own, box) in enumerate(people):
            rows.append({"id": f"{image.key}.{number}", "image": row, "is_crowd": False} | _box_columns(box))
            joints.append(_joints(own, joint_of))
    return AnnotationSet(
        path,
        format_name,
        image_frame(
            dict(image.columns) | {"file_name": image.file_name, "width": image.width, "height": image.height}
            for image in images
        ),
        people_frame(rows),
        np.array(joints).reshape(-1, len(JOINTS), 2),
        dict(counts),
        (*notes, *describe_unknown(names, joint_names)),
    )


def group_people(
    points: Sequence[LabelledPoint], boxes: Sequence[LabelledBox], joint_of: Mapping[str, str | None]
) -> tuple[list[Person], Counter[str]]:
    """Return the people of an image, and what is left out by reason.

    Points with the same group are a person, whose box has the same group or is the only one without a group that
    contains all of them. Other points belong to the box that contains them; where boxes overlap,
    to the one that has no such joint yet. Without boxes, they are one person if no joint is repeated.

    Args:
        points: keypoints of the image.
        boxes: bounding boxes of its people.
        joint_of: the joint of each point's name.
    """
    groups = defaultdict(list)
    for point in points:
        groups[point.group].append(point)
    free = groups.pop(None, [])
    box_of_group = {box.group: box for box in sorted(boxes, key=lambda box: box.area) if box.group in groups}
    other_boxes = [box for box in boxes if box.group not in groups]
    for group in groups.keys() - box_of_group.keys():
        around = [box for box in other_boxes if all(box.contains(point) for point in groups[group])]
        if len(around) == 1:
            box_of_group[group] = around[0]
    other_boxes = [box for box in other_boxes if box not in box_of_group.values()]
    people: list[Person] = [(own, box_of_group.get(group)) for group, own in groups.items()]
    reasons = Counter[str]()
    if free and other_boxes:
        contents, ambiguous = _by_box(free, other_boxes, joint_of)
        people += [(own, box) for own, box in zip(contents, other_boxes, strict=True) if own]
        reasons[NO_POINTS] += sum(not own for own in contents)
        reasons[AMBIGUOUS] += ambiguous
    else:
        people += [(free, None)] if free else []
        reasons[NO_POINTS] += len(other_boxes)
    distinct = [(own, box) for own, box in people if _is_distinct(own, joint_of)]
    reasons[AMBIGUOUS] += sum(len(own) for own, box in people if not _is_distinct(own, joint_of))
    return distinct, +reasons


def _by_box(
    points: Sequence[LabelledPoint], boxes: Sequence[LabelledBox], joint_of: Mapping[str, str | None]
) -> tuple[list[list[LabelledPoint]], int]:
    """Return the points of each box, and the number of those whose box is unknown.

    Points in one box are assigned first. Then a point in several boxes is assigned if only one of them lacks its
    joint, until nothing changes.
    """
    contents: list[list[LabelledPoint]] = [[] for _ in boxes]
    waiting = list(points)
    changed = True
    while changed:
        changed = False
        for point in list(waiting):
            around = [number for number, box in enumerate(boxes) if box.contains(point)]
            joint = joint_of[point.name]
            lacking = [n for n in around if joint not in {joint_of[other.name] for other in contents[n]}]
            candidates = around if len(around) == 1 else lacking
            if len(candidates) == 1:
                contents[candidates[0]].append(point)
                waiting.remove(point)
                changed = True
    return contents, len(waiting)


def _is_distinct(points: Sequence[LabelledPoint], joint_of: Mapping[str, str | None]) -> bool:
    """Return whether no joint is repeated."""
    return len({joint_of[point.name] for point in points}) == len(points)


def _joints(points: Sequence[LabelledPoint], joint_of: Mapping[str, str | None]) -> np.ndarray:
    joints = np.full((len(JOINTS), 2), np.nan)
    for point in points:
        joints[INDEX[str(joint_of[point.name])]] = point.x, point.y
    return joints


def _box_columns(box: LabelledBox | None) -> dict[str, float]:
    corners = box.corners if box else (np.nan,) * 4
    return {column: value - 0.5 for column, value in zip(BOX_COLUMNS, corners, strict=True)}


def corners_of(xa: float, ya: float, xb: float, yb: float) -> Corners:
    """Return x0, y0, x1, y1 of two opposite corners in any order."""
    return min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)
