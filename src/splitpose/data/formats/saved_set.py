"""An annotation set as a JSON file, for annotations of many files or of a format whose images must be at hand."""

import json
from pathlib import Path

import numpy as np

from splitpose.data.formats.annotation_set import AnnotationSet, image_frame, people_frame
from splitpose.files import atomic_file
from splitpose.skeleton import JOINTS


def save(annotations: AnnotationSet, path: Path) -> None:
    """Write a set. Values that are absent become null."""
    content = {
        "format": annotations.format,
        "images": json.loads(annotations.images.to_json(orient="records")),
        "people": json.loads(annotations.people.to_json(orient="records", double_precision=15)),
        "joints": [None if np.isnan(value) else float(value) for value in annotations.joints.ravel()],
        "skipped": annotations.skipped,
        "notes": annotations.notes,
    }
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content))


def load(path: Path) -> AnnotationSet:
    """Read a set that `save` wrote; its `path` is that of the file."""
    content = json.loads(path.read_text())
    people = people_frame(
        {key: np.nan if value is None else value for key, value in person.items()} for person in content["people"]
    )
    return AnnotationSet(
        path,
        content["format"],
        image_frame(content["images"]),
        people,
        np.array(content["joints"], np.float64).reshape(-1, len(JOINTS), 2),
        content["skipped"],
        tuple(content["notes"]),
    )
