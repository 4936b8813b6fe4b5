"""Contact sheets of test people with predictions: a variant's selected ones, and the hardest for all variants."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from splitpose import images
from splitpose.annotations import joints_of
from splitpose.drawing import GREY, WHITE, add_caption, contact_sheet, draw_joints
from splitpose.report.formatting import format_number

PADDING = 1.5
"""Side of a cell relative to the extent of the annotated joints."""


def prediction_sheet(
    rows: pd.DataFrame,
    predictions: pd.DataFrame,
    selected: Sequence[Mapping[str, Any]],
    data_root: Path,
    cell_width: int = 240,
) -> np.ndarray:
    """Draw a variant's selected people: ground truth thin and white, predictions in colours.

    Args:
        rows: annotation table, indexed by id.
        predictions: joint columns in image px, indexed by id.
        selected: {"id", "group", "error"} of each person, in order.
        data_root: folder that the table's `image` paths are below.
        cell_width: px per person.

    Raises:
        InputError: an image cannot be read.
    """
    cells = []
    for entry in selected:
        row, predicted = rows.loc[[entry["id"]]], predictions.loc[[entry["id"]]]
        cell = _draw_person(_read_image(row, data_root), joints_of(row)[0], joints_of(predicted)[0], cell_width)
        cells.append(add_caption(cell, f"{entry['group']}: {format_number(entry['error'], 3)} torso"))
    return contact_sheet(cells, max(1, len(cells) // 3), cell_width)


def hardest_sheet(
    rows: pd.DataFrame,
    predictions: Mapping[str, pd.DataFrame],
    selected: Sequence[Mapping[str, Any]],
    data_root: Path,
    cell_width: int = 240,
) -> np.ndarray:
    """Draw the people that are hardest for all variants: one person per row, one variant per column.

    Args:
        rows: annotation table, indexed by id.
        predictions: joint columns of each variant in image px, indexed by id.
        selected: {"id", "errors": {variant: error}} of each person, in order.
        data_root: folder that the table's `image` paths are below.
        cell_width: px per person.

    Raises:
        InputError: an image cannot be read.
    """
    cells = []
    for entry in selected:
        row = rows.loc[[entry["id"]]]
        image = _read_image(row, data_root)
        for name, variant_predictions in predictions.items():
            predicted = joints_of(variant_predictions.loc[[entry["id"]]])[0]
            cell = _draw_person(image, joints_of(row)[0], predicted, cell_width)
            cells.append(add_caption(cell, f"{name}: {format_number(entry['errors'][name], 2)} torso"))
    return contact_sheet(cells, len(predictions), cell_width)


def _read_image(row: pd.DataFrame, data_root: Path) -> np.ndarray:
    """Read the image of a table of one row."""
    image, width, height = (row[column].iloc[0] for column in ("image", "width", "height"))
    return images.read(data_root / image, (width, height))


def _draw_person(image: np.ndarray, annotated: np.ndarray, predicted: np.ndarray, side: int) -> np.ndarray:
    """Cut a square of `side` px around a person and draw ground truth and prediction, (K, 2) image px, into it."""
    low, high = np.nanmin(annotated, axis=0), np.nanmax(annotated, axis=0)
    zoom = side / (PADDING * max(float((high - low).max()), 1.0))
    # Pixel centres are at integers: the corner of the first pixel, at -0.5, stays at -0.5.
    shift = (side - 1) / 2 - zoom * (low + high) / 2
    affine = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    interpolation = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    cell = cv2.warpAffine(image, affine, (side, side), flags=interpolation, borderValue=GREY)
    cell = draw_joints(cell, zoom * predicted + shift, scale=1.4)
    return draw_joints(cell, zoom * annotated + shift, colour=WHITE, scale=0.7)
