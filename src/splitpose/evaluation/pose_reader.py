"""Reader of the files that are scored: CSV, Parquet, COCO JSON, and what labelling tools write.

Libraries that start slowly are imported where a format needs them, because most files are CSV.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError
from splitpose.evaluation import coco_results, joints_csv
from splitpose.evaluation.file_content import detect_content
from splitpose.evaluation.joints_csv import JointsCsv
from splitpose.evaluation.pose_set import ImageKey, PoseSet
from splitpose.skeleton import JOINTS

if TYPE_CHECKING:
    from splitpose.data.formats.annotation_set import AnnotationSet


def read_annotations(path: Path, label: str | None, joint_names: JointNames) -> PoseSet:
    """Read annotated people.

    Args:
        path: a CSV or Parquet table, a complete COCO JSON, or a file or folder of a labelling tool.
        label: column of the table, or property of the images such as `image`, that is the bootstrap cluster.
        joint_names: mapping of the names of the file's keypoints.

    Raises:
        InputError: the file cannot be read.
    """
    if (content := _content(path)) in ("text", "parquet"):
        return _from_table(_read_table(path, content, label, joint_names))
    data = _load_json(path) if content == "json" else None
    if data and coco_results.is_results(data):
        raise InputError(f"{path}: is a list of COCO results; give the complete COCO JSON of the annotations")
    return _from_annotation_set(read_annotation_set(path, joint_names), data, label)


def read_predictions(path: Path, keypoint_names: Mapping[str, Sequence[str]], joint_names: JointNames) -> PoseSet:
    """Read predicted people.

    Args:
        path: as for `read_annotations`, or a list of COCO results.
        keypoint_names: names of the keypoints of each category of the annotations, by its id.
        joint_names: mapping of the names of the file's keypoints.

    Raises:
        InputError: the file cannot be read.
    """
    if (content := _content(path)) in ("text", "parquet"):
        return _from_table(_read_table(path, content, None, joint_names))
    data = _load_json(path) if content == "json" else None
    if coco_results.is_results(data) or coco_results.is_complete(data):
        return coco_results.read_results(path, data, keypoint_names, joint_names)
    return _from_annotation_set(read_annotation_set(path, joint_names), None, None)


def read_annotation_set(path: Path, joint_names: JointNames) -> "AnnotationSet":
    """Read a file or folder of a labelling tool."""
    from splitpose.data.formats import detection

    return detection.read_annotations(path, joint_names)


def _content(path: Path) -> str:
    return "folder" if path.is_dir() else detect_content(path)


def _load_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path}: is not valid JSON ({error}); export it again") from error


def _read_table(path: Path, content: str, label: str | None, joint_names: JointNames) -> JointsCsv:
    if content == "text":
        return joints_csv.read(path, label, joint_names)
    from splitpose.evaluation import joints_parquet

    return joints_parquet.read(path, label, joint_names)


def _from_table(table: JointsCsv) -> PoseSet:
    count = len(table.ids)
    ids, names = (table.texts.get(column) or [""] * count for column in ("image_id", "image"))
    has_images = bool(table.texts.keys() & {"image", "image_id"})
    keys = [ImageKey(id, name) for id, name in zip(ids, names, strict=True)] if has_images else []
    unique = {key: row for row, key in enumerate(dict.fromkeys(keys))}
    missing = np.full(count, np.nan)
    confidence = missing if table.confidence is None else table.confidence
    return PoseSet(
        table.path,
        table.format,
        table.joints,
        table.columns,
        table.ids,
        is_table=True,
        images=list(unique),
        image_rows=np.array([unique[key] for key in keys], np.int64),
        crowds=np.zeros(count, bool),
        boxes=np.full((count, 4), np.nan) if table.boxes is None else table.boxes,
        areas=missing,
        scores=confidence,
        scores_from="none" if np.isnan(confidence).all() else "confidence",
        labels=table.labels,
        has_frames=any(table.texts.get("frame", [])),
        notes=table.notes,
    )


def _from_annotation_set(people: "AnnotationSet", coco: Any, label: str | None) -> PoseSet:
    """Convert an annotation set; `coco` is the content of its JSON, None in other formats."""
    from splitpose.annotations import BOX_COLUMNS

    names = [str(name) for name in people.images["file_name"]]
    ids = [str(id) for id in people.images["id"]] if "id" in people.images else [""] * len(names)
    left_out = [f"{number} people left out: {reason}" for reason, number in people.skipped.items()]
    is_coco = coco_results.is_complete(coco)
    return PoseSet(
        people.path,
        people.format,
        people.joints,
        np.ones(len(JOINTS), bool),
        [str(id) for id in people.people["id"]],
        is_table=False,
        images=[ImageKey(*key) for key in zip(ids, names, strict=True)],
        image_rows=people.people["image"].to_numpy(np.int64),
        crowds=people.people["is_crowd"].to_numpy(bool),
        boxes=people.people[BOX_COLUMNS].to_numpy(np.float64),
        areas=_areas(people, coco if is_coco else None),
        scores=np.full(len(people.people), np.nan),
        labels=None if label is None else _labels(people, label),
        keypoint_names=coco_results.keypoint_names(coco) if is_coco else {},
        notes=(*people.notes, *left_out),
    )


def _areas(people: "AnnotationSet", coco: Mapping[str, Any] | None) -> np.ndarray:
    """Return the areas that the annotations state: (N,) px^2, NaN where missing."""
    if "area" in people.people:
        return people.people["area"].to_numpy(np.float64, na_value=np.nan)
    stated = {str(entry["id"]): entry.get("area") for entry in coco["annotations"]} if coco else {}
    areas = [stated.get(str(id)) for id in people.people["id"]]
    return np.array([area if isinstance(area, int | float) else np.nan for area in areas], np.float64)


def _labels(people: "AnnotationSet", label: str) -> np.ndarray:
    """Return a property of the image of each person."""
    column = "file_name" if label == "image" else label
    if column not in people.images:
        others = [str(name) for name in people.images if name != "file_name"]
        raise InputError(f"{people.path}: images have no {label!r}; they have {', '.join(['image', *others])}")
    values = people.images[column].astype(str).to_numpy()
    labels: np.ndarray = values[people.people["image"].to_numpy(np.int64)]
    return labels
