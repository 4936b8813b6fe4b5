"""Test people drawn with what was predicted: a variant's best to worst, and the people who are hard for all."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from splitpose import images
from splitpose.annotations import joints_of
from splitpose.drawing import GREY, WHITE, captioned, contact_sheet, draw_joints
from splitpose.errors import InputError
from splitpose.evaluation.pck import mean_errors, normalised_errors
from splitpose.evaluation.slices import WORST_ERROR, worst
from splitpose.skeleton import TORSO


def prediction_sheet(
    rows: pd.DataFrame,
    predictions: np.ndarray,
    data_root: Path,
    count: int,
    torso: tuple[str, str] = TORSO,
    cell_width: int = 240,
) -> np.ndarray:
    """People with small, middling and large errors: the truth thin and white, the prediction in colours.

    Args:
        rows: N rows of the annotation table.
        predictions: (N, K, 2) px, in the order of `rows`.
        data_root: the folder that the table's `image` paths are below.
        count: people on the sheet, a third from each end of the errors and a third from their middle.
        torso: joints of the torso diameter that errors are measured in.
        cell_width: px a person.

    Raises InputError where a picture cannot be read or nobody was scored.
    """
    truth = joints_of(rows)
    errors = mean_errors(normalised_errors(truth, predictions, torso))
    chosen = _spread(errors, count)
    if not chosen:
        raise InputError("prediction sheet: none of the test people has a joint that was scored")
    cells = []
    for word, n in chosen:
        cell = _person(_picture(rows.iloc[n], data_root), truth[n], predictions[n], cell_width)
        cells.append(captioned(cell, f"{word}: {errors[n]:.3f} torso"))
    return contact_sheet(cells, max(1, len(cells) // 3), cell_width)


def hardest_sheet(
    rows: pd.DataFrame,
    predictions: Mapping[str, np.ndarray],
    errors: Mapping[str, np.ndarray],
    data_root: Path,
    count: int,
    cell_width: int = 240,
) -> np.ndarray:
    """The people with the largest errors on average over all variants: one a row, one column a variant.

    Args:
        rows: N rows of the annotation table.
        predictions: of each variant (N, K, 2) px, in the order of `rows`.
        errors: of each variant (N, K) in torso diameters, NaN where not scored.
        data_root, count, cell_width: as for `prediction_sheet`.
    """
    ids, truth = rows["id"].tolist(), joints_of(rows)
    of_all = np.mean([np.minimum(error, WORST_ERROR) for error in errors.values()], axis=0)
    cells = []
    for person in worst(ids, of_all, count):
        n = ids.index(person["id"])
        picture = _picture(rows.iloc[n], data_root)
        for name, joints in predictions.items():
            (error,) = mean_errors(errors[name][n : n + 1])
            cells.append(captioned(_person(picture, truth[n], joints[n], cell_width), f"{name}: {error:.2f} torso"))
    return contact_sheet(cells, len(predictions), cell_width)


def _picture(row: pd.Series, data_root: Path) -> np.ndarray:
    return images.read(data_root / row["image"], (row["width"], row["height"]))


def _spread(errors: np.ndarray, count: int) -> list[tuple[str, int]]:
    """People with the smallest, middle and largest errors, (N,) -> (word, index) in order of their errors."""
    order = np.argsort(errors, kind="stable")
    order = order[: int((~np.isnan(errors)).sum())]
    third = min(count, len(order)) // 3
    if third == 0:
        return [("error", int(n)) for n in order[:count]]
    start = (len(order) - third) // 2
    parts = {"smallest": order[:third], "middle": order[start : start + third], "largest": order[-third:]}
    return [(word, int(n)) for word, part in parts.items() for n in part]


def _person(picture: np.ndarray, truth: np.ndarray, predicted: np.ndarray, size: int) -> np.ndarray:
    """A square of `size` px around a person, truth and prediction drawn into it."""
    low, high = np.nanmin(truth, axis=0), np.nanmax(truth, axis=0)
    side = 1.5 * max(float((high - low).max()), 1.0)
    zoom = size / side
    # Pixel centres at integers: the corner of the first pixel, at -0.5, stays at -0.5.
    shift = (size - 1) / 2 - zoom * (low + high) / 2
    affine = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    cell = cv2.warpAffine(picture, affine, (size, size), flags=how, borderValue=GREY)
    cell = draw_joints(cell, zoom * predicted + shift, scale=1.4)
    return draw_joints(cell, zoom * truth + shift, colour=WHITE, scale=0.7)
