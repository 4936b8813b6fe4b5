"""A tiny COCO source without a fault, and many ways to damage it, each with the end that it must come to."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from splitpose.data import coco

NAMES = ["nose", "left_eye", "right_eye", "left_ear", "left_shoulder", "right_shoulder", "left_elbow"]
NAMES += ["right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"]
POSE = [31, 10, 33, 8, 29, 8, 0, 0, 40, 15, 22, 15, 45, 22, 17, 22, 42, 30, 20, 30, 36, 36, 26, 36]
"""x, y of NAMES in turn, in a picture of 64 x 48 px; the ear is not annotated."""
KEYPOINTS = [n for k in range(12) for n in (POSE[2 * k], POSE[2 * k + 1], 0 if NAMES[k] == "left_ear" else 2)]

Change = Callable[[Path], None]
"""Of a folder with annotations.json and images/."""


def good_content() -> dict[str, Any]:
    """Three people with all 11 joints, a picture each."""
    return {
        "images": [{"id": k, "file_name": f"{k}.png", "width": 64, "height": 48, "take": k % 2} for k in range(3)],
        "categories": [{"id": 1, "name": "person", "keypoints": NAMES}],
        "annotations": [
            {"id": 10 + k, "image_id": k, "category_id": 1, "iscrowd": 0, "keypoints": KEYPOINTS}
            | {"bbox": [12, 4, 40, 36]}
            for k in range(3)
        ],
    }


def write_good(folder: Path) -> None:
    """annotations.json and images/0.png to 2.png, all different."""
    (folder / coco.IMAGES).mkdir(parents=True)
    (folder / coco.ANNOTATIONS).write_text(json.dumps(good_content()))
    for k in range(3):
        cv2.imwrite(str(folder / coco.IMAGES / f"{k}.png"), np.full((48, 64, 3), 80 * k, np.uint8))


@dataclass(frozen=True)
class Damage:
    """A change of the good source, and its end: a text of the error's line, or the rule that quarantines.

    The rule holds for the person of picture 0 alone; the two others stay.
    """

    name: str
    change: Change
    error: str = ""
    quarantined_by: str = ""


def put(*keys_and_value: Any) -> Change:
    """Set a value in the JSON."""
    *keys, last, value = keys_and_value

    def change(folder: Path) -> None:
        content = json.loads((folder / coco.ANNOTATIONS).read_text())
        place = content
        for key in keys:
            place = place[key]
        place[last] = value
        (folder / coco.ANNOTATIONS).write_text(json.dumps(content))

    return change


def drop(*keys: Any) -> Change:
    """Take a key out of the JSON."""
    *parents, last = keys

    def change(folder: Path) -> None:
        content = json.loads((folder / coco.ANNOTATIONS).read_text())
        place = content
        for key in parents:
            place = place[key]
        del place[last]
        (folder / coco.ANNOTATIONS).write_text(json.dumps(content))

    return change


def file(data: bytes, name: str = coco.ANNOTATIONS) -> Change:
    """Replace a file."""
    return lambda folder: (folder / name).write_bytes(data) and None


def text(old: str, new: str) -> Change:
    """Replace the first such text of the JSON, for what Python's own writer would not write."""

    def change(folder: Path) -> None:
        content = (folder / coco.ANNOTATIONS).read_text()
        assert old in content
        (folder / coco.ANNOTATIONS).write_text(content.replace(old, new, 1))

    return change


def cut_short(name: str, keep: float) -> Change:
    """Keep the first part of a file."""

    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(keep * len(data))])

    return change


def zipped(folder: Path) -> None:
    """A zip under the JSON's name."""
    with zipfile.ZipFile(folder / "z", "w") as archive:
        archive.write(folder / coco.ANNOTATIONS)
    (folder / "z").replace(folder / coco.ANNOTATIONS)


def a_folder_instead(folder: Path) -> None:
    """A folder under the JSON's name."""
    (folder / coco.ANNOTATIONS).unlink()
    (folder / coco.ANNOTATIONS).mkdir()


def no_pictures(folder: Path) -> None:
    """The folder of pictures under another name."""
    (folder / coco.IMAGES).rename(folder / "pictures")


def keypoints(place: int, value: float) -> Change:
    """Change one number of the first person's keypoints."""
    return put("annotations", 0, "keypoints", [*KEYPOINTS[:place], value, *KEYPOINTS[place + 1 :]])


NAN, INFINITE = float("nan"), float("inf")
PICTURE = f"{coco.IMAGES}/0.png"

ERRORS = [
    # The file as a whole.
    ("no file", lambda folder: (folder / coco.ANNOTATIONS).unlink(), "No such file or directory; give a COCO"),
    ("a folder", a_folder_instead, "Is a directory; give a COCO"),
    ("empty", file(b""), "Invalid JSON: EOF"),
    ("cut short", cut_short(coco.ANNOTATIONS, 0.7), "Invalid JSON: EOF"),
    ("no UTF-8", file(json.dumps(good_content()).encode().replace(b"0.png", b"\xe9.png")), "Invalid JSON: invalid"),
    ("zip", zipped, "Invalid JSON: expected value"),
    ("picture", file(b"\x89PNG\r\n\x1a\n"), "Invalid JSON: expected value"),
    ("UTF-16", file(json.dumps(good_content()).encode("utf-16")), "Invalid JSON: expected value"),
    ("nested without end", file(b"[" * 100_000), "Invalid JSON: recursion limit"),
    ("a list", file(b"[]"), "Input should be an object; give a COCO"),
    ("null", file(b"null"), "Input should be an object; give a COCO"),
    ("no images", drop("images"), "images: Field required"),
    ("no annotations", drop("annotations"), "annotations: Field required"),
    ("no categories", drop("categories"), "categories: Field required"),
    ("annotations null", put("annotations", None), "annotations: Input should be a valid array"),
    ("annotations an object", put("annotations", {"10": {}}), "annotations: Input should be a valid array"),
    ("a person a number", put("annotations", 0, 7), "annotations[0]: Input should be an object"),
    (
        "nobody",
        put("annotations", []),
        "nobody is left of 0 people; lower min_joints (now 8) or min_side (now 16 px)",
    ),
    ("no pictures folder", no_pictures, "images: no such folder of pictures"),
    # Pictures.
    ("width missing", drop("images", 0, "width"), "images[0].width: Field required"),
    ("width 0", put("images", 0, "width", 0), "images[0].width: Input should be greater than 0"),
    ("height negative", put("images", 0, "height", -48), "images[0].height: Input should be greater than 0"),
    ("width text", put("images", 2, "width", "64"), "images[2].width: Input should be a valid integer"),
    ("width true", put("images", 0, "width", True), "images[0].width: Input should be a valid integer"),
    ("width NaN", put("images", 0, "width", NAN), "images[0].width: Input should be"),
    ("width infinite", put("images", 0, "width", INFINITE), "images[0].width: Input should be"),
    ("width huge", put("images", 0, "width", 10**30), "images[0].width: Input should be less than or equal"),
    ("width endless", text('"width": 64', '"width": 6' + "4" * 5000), "Invalid JSON: number out of range"),
    ("file_name missing", drop("images", 0, "file_name"), "images[0].file_name: Field required"),
    ("file_name null", put("images", 0, "file_name", None), "images[0].file_name: Input should be a valid string"),
    ("file_name empty", put("images", 0, "file_name", ""), "images[0].file_name: Input should be a path"),
    ("file_name with 0", put("images", 0, "file_name", "\0.png"), "images[0].file_name: Input should be a path"),
    (
        "file_name twice",
        put("images", 1, "file_name", "./0.png"),
        "images[1].file_name: '0.png' is already that of",
    ),
    ("image id missing", drop("images", 0, "id"), "images[0].id: Field required"),
    ("image id null", put("images", 0, "id", None), "images[0].id: Input should be a whole number or text"),
    ("image id twice", put("images", 1, "id", 0), "images[1].id: '0' is already that of images[0]"),
    # Categories.
    ("no keypoint names", drop("categories", 0, "keypoints"), "none of their keypoints is one of the 11 joints"),
    ("other names", put("categories", 0, "keypoints", ["paw", "tail"]), "11 joints; found 'paw', 'tail'"),
    (
        "names no list",
        put("categories", 0, "keypoints", "nose"),
        "categories[0].keypoints: Input should be a valid",
    ),
    (
        "a name null",
        put("categories", 0, "keypoints", 1, None),
        "categories[0].keypoints[1]: Input should be a valid",
    ),
    (
        "a joint twice",
        put("categories", 0, "keypoints", 3, "leye"),
        "categories[0].keypoints: 'left_eye' and 'leye' both mean left eye; rename one",
    ),
    ("category id twice", put("categories", [{"id": 1}, {"id": 1}]), "categories[1].id: '1' is already that of"),
    # People.
    ("id missing", drop("annotations", 1, "id"), "annotations[1].id: Field required"),
    ("id a list", put("annotations", 0, "id", [1]), "annotations[0].id: Input should be a whole number or text"),
    ("id true", put("annotations", 0, "id", True), "annotations[0].id: Input should be a whole number or text"),
    ("id twice", put("annotations", 2, "id", 10), "annotations[2].id: '10' is already that of annotations[0]"),
    ("image_id missing", drop("annotations", 0, "image_id"), "annotations[0].image_id: Field required"),
    (
        "image_id of none",
        put("annotations", 1, "image_id", 9),
        "annotations[1].image_id: '9' is not among the images",
    ),
    (
        "category_id of none",
        put("annotations", 1, "category_id", 9),
        "annotations[1].category_id: '9' is not among",
    ),
    ("iscrowd text", put("annotations", 0, "iscrowd", "0"), "annotations[0].iscrowd: Input should be 0, 1"),
    ("keypoints text", put("annotations", 0, "keypoints", "1,2,2"), "annotations[0].keypoints: Input should be a"),
    (
        "keypoints no triples",
        put("annotations", 0, "keypoints", KEYPOINTS[:-1]),
        "annotations[0].keypoints: 35 numbers",
    ),
    (
        "keypoints too few",
        put("annotations", 0, "keypoints", KEYPOINTS[:-3]),
        "there are 11, but the category names 12",
    ),
    (
        "keypoints too many",
        put("annotations", 0, "keypoints", KEYPOINTS + [0] * 3),
        "there are 13, but the category",
    ),
    ("x null", keypoints(0, None), "annotations[0].keypoints[0]: Input should be a valid number"),
    ("y text", keypoints(1, "10"), "annotations[0].keypoints[1]: Input should be a valid number"),
    ("x true", keypoints(0, True), "annotations[0].keypoints[0]: Input should be a valid number"),
    ("x NaN", keypoints(0, NAN), "annotations[0].keypoints: keypoint 0 is annotated at nan, 10"),
    ("y infinite", keypoints(4, INFINITE), "annotations[0].keypoints: keypoint 1 is annotated at 33, inf"),
    ("x endless", keypoints(0, 10**400), "annotations[0].keypoints: keypoint 0 is annotated at inf"),
    (
        "visibility 3",
        keypoints(2, 3),
        "annotations[0].keypoints: visibility of keypoint 0 is 3; it should be 0, 1 or 2",
    ),
    ("visibility 0.9", keypoints(2, 0.9), "visibility of keypoint 0 is 0.9"),
    ("visibility NaN", keypoints(2, NAN), "visibility of keypoint 0 is nan"),
    ("box of 3", put("annotations", 0, "bbox", [1, 2, 3]), "annotations[0].bbox[3]: Field required"),
    (
        "box of 5",
        put("annotations", 0, "bbox", [1, 2, 3, 4, 5]),
        "annotations[0].bbox: Tuple should have at most 4",
    ),
    ("box empty", put("annotations", 0, "bbox", []), "annotations[0].bbox[0]: Field required"),
    ("box text", put("annotations", 0, "bbox", "1 2 3 4"), "annotations[0].bbox: Input should be a valid array"),
    (
        "box null inside",
        put("annotations", 0, "bbox", 2, None),
        "annotations[0].bbox[2]: Input should be a valid number",
    ),
    ("box NaN", put("annotations", 0, "bbox", 2, NAN), "annotations[0].bbox[2]: Input should be a finite number"),
    (
        "box infinite",
        put("annotations", 0, "bbox", 0, INFINITE),
        "annotations[0].bbox[0]: Input should be a finite",
    ),
    ("box huge", put("annotations", 0, "bbox", 3, 1e300), "annotations[0].bbox[3]: Input should be less than"),
]

QUARANTINED = [
    ("picture missing", lambda folder: (folder / PICTURE).unlink(), "picture"),
    ("picture empty", file(b"", PICTURE), "picture"),
    ("picture cut short", cut_short(PICTURE, 0.6), "picture"),
    ("picture a text", file(b"<html>", PICTURE), "picture"),
    ("file_name a folder", put("images", 0, "file_name", "."), "picture"),
    ("file_name absolute", put("images", 0, "file_name", "/etc/hostname"), "picture"),
    ("file_name leads out", put("images", 0, "file_name", "../annotations.json"), "picture"),
    ("file_name leads out and in", put("images", 0, "file_name", "x/../0.png"), "picture"),
    ("file_name too long", put("images", 0, "file_name", "a" * 5000 + ".png"), "picture"),
    ("other size", put("images", 0, "width", 640), "size"),
    ("x far outside", keypoints(0, 1e300), "outside"),
    ("x negative", keypoints(0, -40), "outside"),
    ("torso of a point", put("annotations", 0, "keypoints", [20, 20, 2] * 12), "torso"),
    ("box without width", put("annotations", 0, "bbox", 2, 0), "box"),
    ("box reversed", put("annotations", 0, "bbox", [52, 40, -40, -36]), "box"),
]

DAMAGES = [Damage(name, change, error=error) for name, change, error in ERRORS]
DAMAGES += [Damage(name, change, quarantined_by=rule) for name, change, rule in QUARANTINED]
