"""People drawn into pictures with OpenCV: joints, limbs, sheets of several people.

Pictures are (H, W, 3) uint8 in BGR, OpenCV's order. Pixel centres are at integers.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from splitpose.annotations import joints_of
from splitpose.errors import InputError
from splitpose.scoring.pck import normalised_errors
from splitpose.skeleton import INDEX, JOINTS, LIMBS, TORSO

LEFT, RIGHT, MIDDLE = (178, 114, 0), (0, 94, 213), (66, 228, 240)
"""Blue, vermilion and yellow of Okabe and Ito's palette, as BGR."""
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (128, 128, 128)
FRACTION_BITS = 4
"""cv2 takes positions as integers with this many bits behind the point; whole pixels make thin lines jump."""


def draw_joints(
    picture: np.ndarray, joints: np.ndarray, colour: tuple[int, int, int] | None = None, scale: float = 1.0
) -> np.ndarray:
    """A copy of `picture` with a person drawn into it.

    Args:
        picture: (H, W, 3) uint8 BGR.
        joints: (K, 2) px; a joint that is NaN is left out, and so are its limbs.
        colour: one BGR colour for all; None draws left, right and middle in their colours, edged in black.
        scale: thickness relative to what suits the picture's size.
    """
    out = picture.copy()
    thickness = max(1, round(0.006 * scale * min(picture.shape[:2])))
    edges = [(2 * max(1, thickness // 2), BLACK)] if colour is None else []
    for extra, forced in [*edges, (0, colour)]:
        for start, end in LIMBS:
            a, b = joints[INDEX[start]], joints[INDEX[end]]
            if np.isfinite([a, b]).all():
                ink = forced or _side(start, end)
                cv2.line(out, _fixed(a), _fixed(b), ink, thickness + extra, cv2.LINE_AA, FRACTION_BITS)
        for joint, position in zip(JOINTS, joints, strict=True):
            if np.isfinite(position).all():
                radius = (1.2 * thickness + extra / 2) * 2**FRACTION_BITS
                ink = forced or _side(joint)
                cv2.circle(out, _fixed(position), round(radius), ink, cv2.FILLED, cv2.LINE_AA, FRACTION_BITS)
    return out


def contact_sheet(pictures: Sequence[np.ndarray], columns: int, cell_width: int, gap: int = 6) -> np.ndarray:
    """Pictures on white, `columns` a row, each scaled to `cell_width` px wide."""
    if not pictures:
        raise ValueError("a contact sheet needs at least one picture")
    cells = [_scaled(picture, cell_width) for picture in pictures]
    rows = [cells[k : k + columns] for k in range(0, len(cells), columns)]
    heights = [max(cell.shape[0] for cell in row) for row in rows]
    height, width = sum(heights) + gap * (len(rows) + 1), columns * (cell_width + gap) + gap
    sheet = np.full((height, width, 3), 255, np.uint8)
    top = gap
    for row, row_height in zip(rows, heights, strict=True):
        for k, cell in enumerate(row):
            left = gap + k * (cell_width + gap)
            sheet[top : top + cell.shape[0], left : left + cell_width] = cell
        top += row_height + gap
    return sheet


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
    errors = _mean_errors(normalised_errors(truth, predictions, torso))
    chosen = _spread(errors, count)
    if not chosen:
        raise InputError("prediction sheet: none of the test people has a joint that was scored")
    cells = []
    for word, n in chosen:
        picture = _read(data_root / str(rows["image"].iloc[n]))
        cell = _person(picture, truth[n], predictions[n], cell_width)
        cells.append(_captioned(cell, f"{word}: {errors[n]:.3f} torso"))
    return contact_sheet(cells, max(1, len(cells) // 3), cell_width)


def encode(picture: np.ndarray) -> bytes:
    """The picture as PNG, the same bytes every time."""
    return bytes(cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1])


def _side(*joints: str) -> tuple[int, int, int]:
    """The colour of a joint or limb: that of its side where all of its joints are on one."""
    sides = {joint[0] for joint in joints if joint != "nose"} if "nose" not in joints else set()
    return LEFT if sides == {"l"} else RIGHT if sides == {"r"} else MIDDLE


def _fixed(position: np.ndarray) -> tuple[int, int]:
    """Position in px -> cv2's fixed point; far outside is as good as infinitely far and must not overflow."""
    x, y = np.rint(np.clip(position, -1e4, 1e4) * 2**FRACTION_BITS).astype(int)
    return int(x), int(y)


def _scaled(picture: np.ndarray, width: int) -> np.ndarray:
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    how = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_LINEAR
    return picture if picture.shape[1] == width else cv2.resize(picture, (width, height), interpolation=how)


def _mean_errors(errors: np.ndarray) -> np.ndarray:
    """(N, K) -> (N,) mean over the joints that were scored, NaN where none was."""
    scored = ~np.isnan(errors)
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = np.where(scored, errors, 0.0).sum(axis=1) / scored.sum(axis=1)
    return mean


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


def _read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError(f"{path}: no such picture, or not readable; run `dvc repro download`")
    return picture


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


def _captioned(picture: np.ndarray, caption: str) -> np.ndarray:
    """The picture with a line of black text on white below it."""
    strip = np.full((22, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, caption, (2, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, BLACK, 1, cv2.LINE_AA)
    return np.vstack([picture, strip])
