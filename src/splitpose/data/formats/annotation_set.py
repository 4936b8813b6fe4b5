"""The annotated people of a file or folder of a labelling tool, in a form that all formats share."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS

IMAGE_COLUMNS = ["file_name", "width", "height"]
PEOPLE_COLUMNS = ["id", "image", "is_crowd", *BOX_COLUMNS]


@dataclass(frozen=True)
class AnnotationSet:
    """Annotated people as a labelling tool wrote them, without selection and without looking for their images."""

    path: Path
    """The file, or the folder of a format with one file per image."""
    format: str
    """Name of the format, for the user: "COCO keypoints", "CVAT XML" ..."""
    images: pd.DataFrame
    """One row per image: file_name (text as in the file), width, height (integers, px), then columns of any other
    name whose values may be used as the group."""
    people: pd.DataFrame
    """One row per person: id (unique text), image (row number in `images`), is_crowd (bool), box_x0, box_y0,
    box_x1, box_y1 (px with pixel centres at integers; NaN without a box)."""
    joints: np.ndarray
    """(N, K, 2) float64 px with pixel centres at integers, NaN where not annotated; left and right are the
    person's own."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Number of people that the reader left out, by reason, such as "category without any of the 11 joints"."""
    notes: tuple[str, ...] = ()
    """One line for each remark that users should read, such as keypoint names that are no joint, or values that
    were treated as missing, with their number."""

    def annotated_file_names(self) -> list[str]:
        """Return the file names of the images with people, in order."""
        used = np.unique(self.people["image"].to_numpy(np.int64))
        names: list[str] = self.images["file_name"].iloc[used].tolist()
        return names


def image_frame(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    """Return the `images` of a set from one dictionary per image."""
    # As objects, because a column of groups may have missing values, which would turn integers into floats.
    return _with_columns(pd.DataFrame(list(rows), dtype=object), IMAGE_COLUMNS)


def people_frame(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    """Return the `people` of a set from one dictionary per person."""
    return _with_columns(pd.DataFrame(list(rows)), PEOPLE_COLUMNS)


def _with_columns(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return frame if len(frame) else pd.DataFrame(columns=columns)
