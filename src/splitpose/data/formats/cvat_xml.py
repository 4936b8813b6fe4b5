"""Reader of CVAT's XML ("CVAT for images 1.1").

Source: docs.cvat.ai, "XML annotation format", version 1.1, and "Annotation with skeletons".

    <annotations><version>1.1</version>
      <image id="0" name="a.jpg" width="640" height="480">
        <skeleton label="person" group_id="1">
          <points label="left_shoulder" outside="0" occluded="0" points="310.5,200.0"/>
        </skeleton>
        <points label="nose" group_id="2" points="100.0,80.5"/>
        <box label="person" group_id="2" xtl="60.0" ytl="40.0" xbr="180.0" ybr="300.0"/>
      </image>
    </annotations>

A skeleton is a person; its points that are outside are not annotated. Single points are grouped by `group_id` or by
the box around them. The points of a shape with several points are named 1, 2, 3 ..., for a joint map.
"""

import xml.etree.ElementTree as ET
from collections.abc import Hashable, Iterator
from pathlib import Path

from splitpose.data.formats.annotation_set import AnnotationSet
from splitpose.data.formats.labelled_points import (
    LabelledBox,
    LabelledImage,
    LabelledPoint,
    annotation_set,
    corners_of,
)
from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError, one_line, some_of

FORMAT = "CVAT XML"


def read(path: Path, joint_names: JointNames) -> AnnotationSet:
    """Read the XML of CVAT's export "CVAT for images 1.1".

    Raises:
        InputError: The file is damaged, is an export for videos, or has no point that is named after a joint.
    """
    images, problems, tracks = list[LabelledImage](), list[str](), 0
    try:
        for _, element in ET.iterparse(path):
            if element.tag == "image":
                try:
                    images.append(_image(element, joint_names))
                except (KeyError, ValueError) as error:
                    reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                    problems.append(f"image {element.get('name', '?')!r}: {reason}")
            tracks += element.tag == "track"
            if element.tag in ("image", "track"):
                element.clear()
    except (ET.ParseError, OSError, UnicodeError) as error:
        raise InputError(f"{path}: damaged or truncated XML ({one_line(error)}); export it again") from error
    if problems:
        raise InputError(
            f"{path}: {len(problems):,} of {len(images) + len(problems):,} images: {some_of(problems)}"
        )
    if tracks and not images:
        raise InputError(
            f"{path}: CVAT's format for videos, whose images are not named; export as 'CVAT for images 1.1'"
        )
    return annotation_set(path, FORMAT, images, joint_names)


def _image(element: ET.Element, joint_names: JointNames) -> LabelledImage:
    """Return an image. Raises KeyError for a missing attribute and ValueError for one that is not a number."""
    points = list[LabelledPoint]()
    for number, skeleton in enumerate(element.iter("skeleton")):
        group = _group(skeleton) or f"skeleton {number}"
        points += [
            LabelledPoint(child.attrib["label"], *_coordinates(child)[0], group)
            for child in skeleton.iter("points")
            if child.get("outside") != "1"
        ]
    for number, shape in enumerate(element.findall("points")):
        points += _single_points(shape, f"shape {number}", joint_names)
    boxes = [
        LabelledBox(corners_of(*(float(box.attrib[key]) for key in ("xtl", "ytl", "xbr", "ybr"))), _group(box),
                    box.get("label", ""))
        for box in element.findall("box")
    ]  # fmt: skip
    subset = {"subset": element.attrib["subset"]} if element.get("subset") else {}
    name, size = element.attrib["name"], [int(element.attrib[key]) for key in ("width", "height")]
    key = element.get("id") or name
    return LabelledImage(key, name, size[0], size[1], points, boxes, subset)


def _single_points(shape: ET.Element, key: str, joint_names: JointNames) -> Iterator[LabelledPoint]:
    """Yield the points of a shape: of its label's joint, or named by their numbers if there are several."""
    coordinates, label = _coordinates(shape), shape.attrib["label"]
    if len(coordinates) == 1 or joint_names.joint(label):
        yield from (LabelledPoint(label, x, y, _group(shape)) for x, y in coordinates)
    else:
        group = _group(shape) or key
        yield from (LabelledPoint(str(number), x, y, group) for number, (x, y) in enumerate(coordinates, 1))


def _group(element: ET.Element) -> Hashable:
    """Return the group of a shape; CVAT writes none, or 0, for shapes without one."""
    group = element.get("group_id")
    return None if group in (None, "", "0") else f"group {group}"


def _coordinates(element: ET.Element) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in element.attrib["points"].split(";") if pair]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"points={element.attrib['points']!r} is not a list of x,y")
    return [(float(x), float(y)) for x, y in pairs]
