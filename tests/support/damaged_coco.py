"""A small valid COCO source, and many ways to damage it, each with the expected outcome."""

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
"""x, y of each of NAMES in an image of 64 x 48 px; the ear is not annotated."""
KEYPOINTS = [n for k in range(12) for n in (POSE[2 * k], POSE[2 * k + 1], 0 if NAMES[k] == "left_ear" else 2)]

Change = Callable[[Path], None]
"""Damages a folder with annotations.json and images/."""


def good_content() -> dict[str, Any]:
    """Return three instances with all 11 joints, one per image."""
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
    """Write annotations.json and three different images, images/0.png to 2.png."""
    (folder / coco.IMAGES).mkdir(parents=True)
    (folder / coco.ANNOTATIONS).write_text(json.dumps(good_content()))
    for k in range(3):
        cv2.imwrite(str(folder / coco.IMAGES / f"{k}.png"), np.full((48, 64, 3), 80 * k, np.uint8))


@dataclass(frozen=True)
class Damage:
    """A change of the valid source, with the expected error text or quarantine rule.

    The rule applies to the instance in image 0; the two others remain valid.
    """

    name: str
    change: Change
    error: str = ""
    rule: str = ""


def set_value(*keys_and_value: Any) -> Change:
    """Set a value in the JSON."""
    *keys, last, value = keys_and_value

    def change(folder: Path) -> None:
        content = json.loads((folder / coco.ANNOTATIONS).read_text())
        parent = content
        for key in keys:
            parent = parent[key]
        parent[last] = value
        (folder / coco.ANNOTATIONS).write_text(json.dumps(content))

    return change


def delete(*keys: Any) -> Change:
    """Delete a key of the JSON."""
    *parents, last = keys

    def change(folder: Path) -> None:
        content = json.loads((folder / coco.ANNOTATIONS).read_text())
        parent = content
        for key in parents:
            parent = parent[key]
        del parent[last]
        (folder / coco.ANNOTATIONS).write_text(json.dumps(content))

    return change


def replace_file(data: bytes, name: str = coco.ANNOTATIONS) -> Change:
    """Replace a file."""
    return lambda folder: (folder / name).write_bytes(data) and None


def replace_text(old: str, new: str) -> Change:
    """Replace text of the JSON once, for content that Python's json module does not write."""

    def change(folder: Path) -> None:
        content = (folder / coco.ANNOTATIONS).read_text()
        assert old in content
        (folder / coco.ANNOTATIONS).write_text(content.replace(old, new, 1))

    return change


def truncate(name: str, keep: float) -> Change:
    """Keep the first part of a file."""

    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(keep * len(data))])

    return change


def replace_by_zip(folder: Path) -> None:
    """Replace the JSON by a zip archive."""
    with zipfile.ZipFile(folder / "z", "w") as archive:
        archive.write(folder / coco.ANNOTATIONS)
    (folder / "z").replace(folder / coco.ANNOTATIONS)


def replace_by_folder(folder: Path) -> None:
    """Replace the JSON by a folder."""
    (folder / coco.ANNOTATIONS).unlink()
    (folder / coco.ANNOTATIONS).mkdir()


def rename_images(folder: Path) -> None:
    """Rename the folder of images."""
    (folder / coco.IMAGES).rename(folder / "photographs")


def set_keypoint(index: int, value: float) -> Change:
    """Change one number of the first instance's keypoints."""
    return set_value("annotations", 0, "keypoints", [*KEYPOINTS[:index], value, *KEYPOINTS[index + 1 :]])


NAN, INFINITE = float("nan"), float("inf")
IMAGE = f"{coco.IMAGES}/0.png"

ERRORS = [
    # The file itself.
    ("no file", lambda folder: (folder / coco.ANNOTATIONS).unlink(), "No such file or directory; provide a COCO"),
    ("a folder", replace_by_folder, "Is a directory; provide a COCO"),
    ("empty", replace_file(b""), "Invalid JSON: EOF"),
    ("truncated", truncate(coco.ANNOTATIONS, 0.7), "Invalid JSON: EOF"),
    (
        "no UTF-8",
        replace_file(json.dumps(good_content()).encode().replace(b"0.png", b"\xe9.png")),
        "Invalid JSON: invalid",
    ),
    ("zip", replace_by_zip, "Invalid JSON: expected value"),
    ("image", replace_file(b"\x89PNG\r\n\x1a\n"), "Invalid JSON: expected value"),
    ("UTF-16", replace_file(json.dumps(good_content()).encode("utf-16")), "Invalid JSON: expected value"),
    ("endlessly nested", replace_file(b"[" * 100_000), "Invalid JSON: recursion limit"),
    ("a list", replace_file(b"[]"), "Input should be an object; provide a COCO"),
    ("null", replace_file(b"null"), "Input should be an object; provide a COCO"),
    ("no images", delete("images"), "images: Field required"),
    ("no annotations", delete("annotations"), "annotations: Field required"),
    ("no categories", delete("categories"), "categories: Field required"),
    ("annotations null", set_value("annotations", None), "annotations: Input should be a valid array"),
    ("annotations an object", set_value("annotations", {"10": {}}), "annotations: Input should be a valid array"),
    ("an annotation is a number", set_value("annotations", 0, 7), "annotations[0]: Input should be an object"),
    (
        "no annotations at all",
        set_value("annotations", []),
        "none of the 0 annotations can be used; lower min_joints (now 8) or min_side (now 16 px)",
    ),
    ("no images folder", rename_images, "images: no such folder of images"),
    # Images.
    ("width missing", delete("images", 0, "width"), "images[0].width: Field required"),
    ("width 0", set_value("images", 0, "width", 0), "images[0].width: Input should be greater than 0"),
    ("height negative", set_value("images", 0, "height", -48), "images[0].height: Input should be greater than 0"),
    ("width text", set_value("images", 2, "width", "64"), "images[2].width: Input should be a valid integer"),
    ("width true", set_value("images", 0, "width", True), "images[0].width: Input should be a valid integer"),
    ("width NaN", set_value("images", 0, "width", NAN), "images[0].width: Input should be"),
    ("width infinite", set_value("images", 0, "width", INFINITE), "images[0].width: Input should be"),
    ("width huge", set_value("images", 0, "width", 10**30), "images[0].width: Input should be less than or equal"),
    ("width endless", replace_text('"width": 64', '"width": 6' + "4" * 5000), "Invalid JSON: number out of range"),
    ("file_name missing", delete("images", 0, "file_name"), "images[0].file_name: Field required"),
    (
        "file_name null",
        set_value("images", 0, "file_name", None),
        "images[0].file_name: Input should be a valid string",
    ),
    (
        "file_name empty",
        set_value("images", 0, "file_name", ""),
        "images[0].file_name: Input should be a file path",
    ),
    (
        "file_name with 0",
        set_value("images", 0, "file_name", "\0.png"),
        "images[0].file_name: Input should be a file path",
    ),
    (
        "file_name twice",
        set_value("images", 1, "file_name", "./0.png"),
        "images[1].file_name: '0.png' is already the file_name of images[0]",
    ),
    ("image id missing", delete("images", 0, "id"), "images[0].id: Field required"),
    ("image id null", set_value("images", 0, "id", None), "images[0].id: Input should be an integer or a string"),
    ("image id twice", set_value("images", 1, "id", 0), "images[1].id: '0' is already the id of images[0]"),
    # Categories.
    ("no keypoint names", delete("categories", 0, "keypoints"), "no keypoint has the name of one of the 11 joints"),
    (
        "other names",
        set_value("categories", 0, "keypoints", ["paw", "tail"]),
        "11 joints (such as left_shoulder); found 'paw', 'tail'",
    ),
    (
        "names no list",
        set_value("categories", 0, "keypoints", "nose"),
        "categories[0].keypoints: Input should be a valid",
    ),
    (
        "a name null",
        set_value("categories", 0, "keypoints", 1, None),
        "categories[0].keypoints[1]: Input should be a valid",
    ),
    (
        "a joint twice",
        set_value("categories", 0, "keypoints", 3, "leye"),
        "categories[0].keypoints: 'left_eye' and 'leye' both mean left eye; rename one of them",
    ),
    (
        "category id twice",
        set_value("categories", [{"id": 1}, {"id": 1}]),
        "categories[1].id: '1' is already the id of categories[0]",
    ),
    # Annotations.
    ("id missing", delete("annotations", 1, "id"), "annotations[1].id: Field required"),
    (
        "id a list",
        set_value("annotations", 0, "id", [1]),
        "annotations[0].id: Input should be an integer or a string",
    ),
    (
        "id true",
        set_value("annotations", 0, "id", True),
        "annotations[0].id: Input should be an integer or a string",
    ),
    (
        "id twice",
        set_value("annotations", 2, "id", 10),
        "annotations[2].id: '10' is already the id of annotations[0]",
    ),
    ("image_id missing", delete("annotations", 0, "image_id"), "annotations[0].image_id: Field required"),
    (
        "image_id of none",
        set_value("annotations", 1, "image_id", 9),
        "annotations[1].image_id: '9' is not the id of any image",
    ),
    (
        "category_id of none",
        set_value("annotations", 1, "category_id", 9),
        "annotations[1].category_id: '9' is not the id of any category",
    ),
    ("iscrowd text", set_value("annotations", 0, "iscrowd", "0"), "annotations[0].iscrowd: Input should be 0, 1"),
    (
        "keypoints text",
        set_value("annotations", 0, "keypoints", "1,2,2"),
        "annotations[0].keypoints: Input should be a",
    ),
    (
        "keypoints not in triplets",
        set_value("annotations", 0, "keypoints", KEYPOINTS[:-1]),
        "annotations[0].keypoints: 35 values are not a multiple of 3",
    ),
    (
        "keypoints too few",
        set_value("annotations", 0, "keypoints", KEYPOINTS[:-3]),
        "there are 11, but the category has 12 keypoints",
    ),
    (
        "keypoints too many",
        set_value("annotations", 0, "keypoints", KEYPOINTS + [0] * 3),
        "there are 13, but the category has 12 keypoints",
    ),
    ("x null", set_keypoint(0, None), "annotations[0].keypoints[0]: Input should be a valid number"),
    ("y text", set_keypoint(1, "10"), "annotations[0].keypoints[1]: Input should be a valid number"),
    ("x true", set_keypoint(0, True), "annotations[0].keypoints[0]: Input should be a valid number"),
    ("x NaN", set_keypoint(0, NAN), "annotations[0].keypoints: keypoint 0 is annotated at nan, 10"),
    ("y infinite", set_keypoint(4, INFINITE), "annotations[0].keypoints: keypoint 1 is annotated at 33, inf"),
    ("x endless", set_keypoint(0, 10**400), "annotations[0].keypoints: keypoint 0 is annotated at inf"),
    (
        "visibility 3",
        set_keypoint(2, 3),
        "annotations[0].keypoints: visibility of keypoint 0 is 3; it should be 0, 1 or 2",
    ),
    ("visibility 0.9", set_keypoint(2, 0.9), "visibility of keypoint 0 is 0.9"),
    ("visibility NaN", set_keypoint(2, NAN), "visibility of keypoint 0 is nan"),
    ("box of 3", set_value("annotations", 0, "bbox", [1, 2, 3]), "annotations[0].bbox[3]: Field required"),
    (
        "box of 5",
        set_value("annotations", 0, "bbox", [1, 2, 3, 4, 5]),
        "annotations[0].bbox: Tuple should have at most 4",
    ),
    ("box empty", set_value("annotations", 0, "bbox", []), "annotations[0].bbox[0]: Field required"),
    (
        "box text",
        set_value("annotations", 0, "bbox", "1 2 3 4"),
        "annotations[0].bbox: Input should be a valid array",
    ),
    (
        "box null inside",
        set_value("annotations", 0, "bbox", 2, None),
        "annotations[0].bbox[2]: Input should be a valid number",
    ),
    (
        "box NaN",
        set_value("annotations", 0, "bbox", 2, NAN),
        "annotations[0].bbox[2]: Input should be a finite number",
    ),
    (
        "box infinite",
        set_value("annotations", 0, "bbox", 0, INFINITE),
        "annotations[0].bbox[0]: Input should be a finite",
    ),
    (
        "box huge",
        set_value("annotations", 0, "bbox", 3, 1e300),
        "annotations[0].bbox[3]: Input should be less than",
    ),
]

QUARANTINED = [
    ("image missing", lambda folder: (folder / IMAGE).unlink(), "unreadable_image"),
    ("image empty", replace_file(b"", IMAGE), "unreadable_image"),
    ("image truncated", truncate(IMAGE, 0.6), "unreadable_image"),
    ("image is text", replace_file(b"<html>", IMAGE), "unreadable_image"),
    ("file_name a folder", set_value("images", 0, "file_name", "."), "unreadable_image"),
    ("file_name absolute", set_value("images", 0, "file_name", "/etc/hostname"), "unreadable_image"),
    ("file_name leads out", set_value("images", 0, "file_name", "../annotations.json"), "unreadable_image"),
    ("file_name leads out and back", set_value("images", 0, "file_name", "x/../0.png"), "unreadable_image"),
    ("file_name too long", set_value("images", 0, "file_name", "a" * 5000 + ".png"), "unreadable_image"),
    ("other size", set_value("images", 0, "width", 640), "image_size"),
    ("x far outside", set_keypoint(0, 1e300), "joint_outside_image"),
    ("x negative", set_keypoint(0, -40), "joint_outside_image"),
    ("torso of 0 px", set_value("annotations", 0, "keypoints", [20, 20, 2] * 12), "short_torso"),
    ("box reversed", set_value("annotations", 0, "bbox", [52, 40, -40, -36]), "invalid_bbox"),
]

DAMAGES = [Damage(name, change, error=error) for name, change, error in ERRORS]
DAMAGES += [Damage(name, change, rule=rule) for name, change, rule in QUARANTINED]
