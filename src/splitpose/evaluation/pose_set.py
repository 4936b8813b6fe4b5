"""Annotated or predicted poses of a file, in the form that scoring shares for all formats."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

ScoreSource = Literal["score", "confidence", "none"]
"""Origin of the scores of predictions: their `score`, the mean confidence of their joints, or there are none."""


class ImageKey(NamedTuple):
    """What identifies an image: its id and its file name, empty where the file does not state one."""

    id: str
    name: str


@dataclass(frozen=True)
class PoseSet:
    """N poses of a file."""

    path: Path
    format: str
    """Name of the format, for the user."""
    joints: np.ndarray
    """(N, K, 2) px, NaN where missing."""
    columns: np.ndarray
    """(K,) bool, whether the file can have each joint."""
    ids: list[str] | None
    """Unique id of each pose; None in COCO results, which have none."""
    is_table: bool
    """Whether the file is a CSV or Parquet table, whose ids are those of the other table."""
    images: list[ImageKey]
    """All images of the file; empty if it does not state any."""
    image_rows: np.ndarray
    """(N,) row of each pose in `images`."""
    crowds: np.ndarray
    """(N,) bool, annotations of a group of people."""
    boxes: np.ndarray
    """(N, 4) x0, y0, x1, y1 in px with pixel centres at integers, NaN where missing."""
    areas: np.ndarray
    """(N,) px^2, the area that the annotation states, NaN where missing."""
    scores: np.ndarray
    """(N,) score of each prediction, NaN where missing."""
    scores_from: ScoreSource = "none"
    labels: np.ndarray | None = None
    """(N,) bootstrap cluster of each pose."""
    has_frames: bool = False
    """Whether the poses are those of the frames of a video."""
    keypoint_names: dict[str, list[str]] = field(default_factory=dict)
    """Names of the keypoints of each category that has any, by its id."""
    notes: tuple[str, ...] = ()
    """Remarks for the user, one line each."""

    @property
    def has_joints(self) -> np.ndarray:
        """Whether a pose has any joint: (N,) bool."""
        any_joint: np.ndarray = np.isfinite(self.joints[..., 0]).any(axis=1)
        return any_joint

    @property
    def description(self) -> str:
        """The format and the number of people, for the user."""
        return f"{self.format}, {len(self.joints):,} {'person' if len(self.joints) == 1 else 'people'}"
