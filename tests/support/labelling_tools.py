"""Exports of labelling tools, as the tools write them, of the same people in the same images.

Image a.jpg (100 x 80 px) has two people, b.jpg has one. The sources of the formats are in the readers' modules.
"""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

WIDTH, HEIGHT = 100, 80
PEOPLE: dict[str, list[tuple[dict[str, tuple[float, float]], tuple[float, float, float, float]]]] = {
    "a.jpg": [
        ({"nose": (20, 16), "left_shoulder": (30, 24), "right_hip": (25, 48)}, (10, 8, 40, 64)),
        ({"nose": (70, 20), "left_shoulder": (80, 28), "right_hip": (75, 52)}, (60, 12, 90, 68)),
    ],
    "b.jpg": [({"nose": (50, 40), "left_shoulder": (60, 44)}, (40, 32, 70, 72))],
}
"""Keypoints (px) and box x0, y0, x1, y1 (px, pixel corners at integers) of each person, by image."""


def write_images(folder: Path, names: tuple[str, ...] = ("a.jpg", "b.jpg")) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        cv2.imwrite(str(folder / name), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def coco(**extra_category: Any) -> dict[str, Any]:
    """Return COCO keypoints with the keys that all tools write."""
    names = ["nose", "left_shoulder", "right_hip"]
    images, annotations = [], []
    for number, (name, people) in enumerate(PEOPLE.items(), 1):
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        for points, (x0, y0, x1, y1) in people:
            keypoints = [value for joint in names for value in (*points.get(joint, (0, 0)), 2 * (joint in points))]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "keypoints": keypoints,
                    "num_keypoints": len(points),
                    "iscrowd": 0,
                    "area": (x1 - x0) * (y1 - y0),
                    "segmentation": [],
                }
            )
    category = {"id": 1, "name": "person", "supercategory": "", "keypoints": names, "skeleton": [[1, 2]]}
    return {"images": images, "annotations": annotations, "categories": [category | extra_category]}


def cvat_coco(folder: Path) -> Path:
    """Write CVAT's "COCO Keypoints 1.0" archive, unpacked."""
    write_images(folder / "images" / "default")
    write_json(folder / "annotations" / "person_keypoints_default.json", {"licenses": [], "info": {}} | coco())
    return folder


def coco_annotator(folder: Path) -> Path:
    """Write an export of COCO Annotator, whose images have server paths."""
    content = coco(keypoint_colors=["#bf5c4d"] * 3, color="#f90660", metadata={})
    for image in content["images"]:
        image |= {
            "path": f"/datasets/people/{image['file_name']}",
            "dataset_id": 1,
            "annotated": True,
            "metadata": {},
        }
    for annotation in content["annotations"]:
        annotation |= {"isbbox": False, "color": "#e13fb9", "metadata": {}}
    write_images(folder)
    write_json(folder / "people-1.json", content)
    return folder


def roboflow(folder: Path) -> Path:
    """Write Roboflow's COCO export: a folder for each split, and a category without keypoints."""
    for split, name in (("train", "a.jpg"), ("valid", "b.jpg")):
        content = coco()
        kept = [image["id"] for image in content["images"] if image["file_name"] == name]
        content["images"] = [image for image in content["images"] if image["id"] in kept]
        content["annotations"] = [one for one in content["annotations"] if one["image_id"] in kept]
        content["categories"].insert(0, {"id": 0, "name": "people", "supercategory": "none"})
        write_images(folder / split, (name,))
        write_json(folder / split / "_annotations.coco.json", content)
    (folder / "README.roboflow.txt").write_text("people - v1\n")
    return folder


def cvat_xml(folder: Path) -> Path:
    """Write CVAT's "CVAT for images 1.1": skeletons, the last with a point outside, and boxes around them."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<annotations>", "  <version>1.1</version>"]
    lines += ["  <meta><task><id>7</id><name>people</name><size>2</size><mode>annotation</mode></task></meta>"]
    for number, (name, people) in enumerate(PEOPLE.items()):
        lines.append(f'  <image id="{number}" name="{name}" width="{WIDTH}" height="{HEIGHT}">')
        for points, (x0, y0, x1, y1) in people:
            lines.append('    <skeleton label="person" source="manual" z_order="0">')
            for joint in ("nose", "left_shoulder", "right_hip"):
                x, y = points.get(joint, (1, 2))
                outside = int(joint not in points)
                lines.append(
                    f'      <points label="{joint}" source="manual" outside="{outside}" occluded="0" '
                    f'points="{x:.2f},{y:.2f}">\n      </points>'
                )
            lines.append("    </skeleton>")
            lines.append(
                f'    <box label="person" source="manual" occluded="0" xtl="{x0:.2f}" ytl="{y0:.2f}" '
                f'xbr="{x1:.2f}" ybr="{y1:.2f}" z_order="0">\n    </box>'
            )
        lines.append("  </image>")
    write_images(folder / "images")
    (folder / "annotations.xml").write_text("\n".join([*lines, "</annotations>\n"]))
    return folder


def label_studio_tasks() -> list[dict[str, Any]]:
    """Return Label Studio's JSON: percentages, and keypoints whose parent is a rectangle."""
    tasks = []
    for number, (name, people) in enumerate(PEOPLE.items(), 41):
        result = []
        for person, (points, (x0, y0, x1, y1)) in enumerate(people):
            box = {"x": x0 / WIDTH * 100, "y": y0 / HEIGHT * 100, "rotation": 0, "rectanglelabels": ["person"]}
            box |= {"width": (x1 - x0) / WIDTH * 100, "height": (y1 - y0) / HEIGHT * 100}
            result.append(_region(f"r{person}", "rectanglelabels", box, "bbox"))
            for joint, (x, y) in points.items():
                value = {"x": x / WIDTH * 100, "y": y / HEIGHT * 100, "width": 0.5, "keypointlabels": [joint]}
                region = _region(f"k{person}{joint}", "keypointlabels", value, "kp-1")
                result.append(region | {"parentID": f"r{person}"})
        annotation = {
            "id": number,
            "completed_by": 1,
            "result": result,
            "was_cancelled": False,
            "ground_truth": False,
        }
        annotation |= {"created_at": "2024-01-30T02:40:43.893565Z", "updated_at": "2024-01-30T02:40:43.893578Z"}
        tasks.append(
            {
                "id": number,
                "annotations": [annotation],
                "file_upload": f"5f3c2a10-{name}",
                "drafts": [],
                "predictions": [],
                "data": {"image": f"/data/upload/29/5f3c2a10-{name}", "session": "monday"},
                "meta": {},
                "project": 29,
            }
        )
    return tasks


def _region(key: str, kind: str, value: dict[str, Any], tag: str) -> dict[str, Any]:
    size = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}
    return size | {"id": key, "type": kind, "value": value, "origin": "manual", "to_name": "img", "from_name": tag}


def label_studio(folder: Path) -> Path:
    write_images(folder / "images", ("5f3c2a10-a.jpg", "5f3c2a10-b.jpg"))
    write_json(folder / "project-29-at-2024-01-30-02-41.json", label_studio_tasks())
    return folder


def label_studio_min(folder: Path) -> Path:
    """Write JSON_MIN, which has neither ids nor parents of regions."""
    records = []
    for task in label_studio_tasks():
        record: dict[str, Any] = task["data"] | {"id": task["id"]}
        for region in task["annotations"][0]["result"]:
            value = region["value"] | {key: region[key] for key in ("original_width", "original_height")}
            record.setdefault(region["from_name"], []).append(value)
        records.append(record | {"annotator": 1, "annotation_id": 3, "created_at": "2024-01-30T02:40:43.893565Z"})
    write_images(folder / "images", ("5f3c2a10-a.jpg", "5f3c2a10-b.jpg"))
    write_json(folder / "project-29-min.json", records)
    return folder


def labelme(folder: Path) -> Path:
    """Write labelme's files; that of a.jpg contains the image."""
    write_images(folder)
    for name, people in PEOPLE.items():
        shapes = []
        for group, (points, (x0, y0, x1, y1)) in enumerate(people):
            corners = [[x1, y1], [x0, y0]]  # drawn from the lower right corner
            shapes.append({"label": "person", "points": corners, "group_id": group, "shape_type": "rectangle"})
            shapes += [
                {"label": joint, "points": [[x, y]], "group_id": group, "shape_type": "point"}
                for joint, (x, y) in points.items()
            ]
        content = {
            "version": "5.4.1",
            "flags": {},
            "shapes": [s | {"description": "", "flags": {}} for s in shapes],
        }
        content |= {"imagePath": name, "imageData": "/9j/4AAQ" * 5000 if name == "a.jpg" else None}
        content |= {"imageHeight": HEIGHT, "imageWidth": WIDTH}
        write_json(folder / Path(name).with_suffix(".json"), content)
    return folder


def ultralytics(folder: Path, names: bool = True, visibility: bool = True) -> Path:
    """Write a pose dataset with a.jpg in train and b.jpg in val."""
    joints = ["nose", "left_shoulder", "right_hip"]
    dims = 3 if visibility else 2
    lines = ["path: ../datasets/people", "train: images/train", "val: images/val", f"kpt_shape: [3, {dims}]"]
    lines += ["flip_idx: [0, 1, 2]", "names:", "  0: person"]
    lines += ["kpt_names:", "  0: [nose, left_shoulder, right_hip]"] if names else []
    for split, name in (("train", "a.jpg"), ("val", "b.jpg")):
        write_images(folder / "images" / split, (name,))
        rows = []
        for points, (x0, y0, x1, y1) in PEOPLE[name]:
            row = [0, (x0 + x1) / 2 / WIDTH, (y0 + y1) / 2 / HEIGHT, (x1 - x0) / WIDTH, (y1 - y0) / HEIGHT]
            for joint in joints:
                x, y = points.get(joint, (0, 0))
                row += [x / WIDTH, y / HEIGHT, 2 * (joint in points)][:dims]
            rows.append(" ".join(f"{value:.6g}" for value in row))
        label = folder / "labels" / split / Path(name).with_suffix(".txt")
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("\n".join(rows) + "\n")
    (folder / "data.yaml").write_text("\n".join(lines) + "\n")
    return folder


EXPORTS = {
    "CVAT COCO": cvat_coco,
    "COCO Annotator": coco_annotator,
    "Roboflow": roboflow,
    "CVAT XML": cvat_xml,
    "Label Studio JSON": label_studio,
    "Label Studio JSON_MIN": label_studio_min,
    "labelme": labelme,
    "Ultralytics": ultralytics,
}
"""Functions that write an export to a folder, by tool."""
