"""People drawn into pictures with OpenCV: joints, limbs, sheets of several pictures.

Pictures are (H, W, 3) uint8 in BGR, OpenCV's order. Pixel centres are at integers.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from splitpose.crops.geometry import CropRegion
from splitpose.skeleton import INDEX, JOINTS, LIMBS

LEFT, RIGHT, MIDDLE = (178, 114, 0), (0, 94, 213), (66, 228, 240)
"""Blue, vermilion and yellow of Okabe and Ito's palette, as BGR."""
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (128, 128, 128)
UNSURE = 0.5
"""Confidence below which a joint is drawn as a guess: a heatmap's bump less than half as high as a sure one."""
FRACTION_BITS = 4
"""cv2 takes positions as integers with this many bits behind the point; whole pixels make thin lines jump."""


def draw_joints(
    picture: np.ndarray,
    joints: np.ndarray,
    colour: tuple[int, int, int] | None = None,
    scale: float = 1.0,
    confidence: np.ndarray | None = None,
) -> np.ndarray:
    """A copy of `picture` with a person drawn into it.

    Args:
        picture: (H, W, 3) uint8 BGR.
        joints: (K, 2) px; a joint that is NaN is left out, and so are its limbs.
        colour: one BGR colour for all; None draws left, right and middle in their colours, edged in black.
        scale: thickness relative to what suits the picture's size.
        confidence: (K,); joints below UNSURE become rings and their limbs thin. NaN and None are sure enough.
    """
    out = picture.copy()
    _paint(out, joints, colour, scale, confidence)
    return out


def draw_look(picture: np.ndarray, joints: np.ndarray, confidence: np.ndarray, region: CropRegion) -> None:
    """Draw into a picture a person, the square that was looked at, and the mean confidence where there is one.

    Args:
        picture: (H, W, 3) uint8 BGR, changed in place.
        joints: (K, 2) px.
        confidence: (K,) from 0 to 1, or NaN; see `draw_joints`.
        region: the square; one that holds the whole picture is not drawn.
    """
    height, width = picture.shape[:2]
    middle = np.array([region.x, region.y])
    low, high = (
        np.rint(np.clip(middle + side, -1e4, 1e5)).astype(int) for side in (-region.side / 2, region.side / 2)
    )
    thin = max(1, round(0.002 * min(height, width)))
    if (low > 0).any() or (high < [width - 1, height - 1]).any():
        for ink, thickness in ((BLACK, 3 * thin), (WHITE, thin)):
            cv2.rectangle(picture, low.tolist(), high.tolist(), ink, thickness)
    _paint(picture, joints, None, 1.0, confidence)
    if np.isfinite(confidence).all():
        size = max(0.4, 0.0015 * min(height, width))
        corner = np.clip(low + [4 * thin, round(28 * size)], [4, round(24 * size)], [width - 1, height - 1])
        for ink, thickness in ((BLACK, 4 * thin), (WHITE, thin)):
            text = f"{confidence.mean():.2f}"
            cv2.putText(picture, text, corner.tolist(), cv2.FONT_HERSHEY_SIMPLEX, size, ink, thickness, cv2.LINE_AA)


def captioned(picture: np.ndarray, caption: str) -> np.ndarray:
    """The picture with a line of black text on white below it."""
    strip = np.full((22, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, caption, (2, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, BLACK, 1, cv2.LINE_AA)
    return np.vstack([picture, strip])


def jpeg(picture: np.ndarray) -> bytes:
    """A picture as JPEG."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


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


def _paint(
    out: np.ndarray,
    joints: np.ndarray,
    colour: tuple[int, int, int] | None,
    scale: float,
    confidence: np.ndarray | None,
) -> None:
    """What `draw_joints` draws, into the picture itself: edges first, then inks."""
    thickness = max(1, round(0.006 * scale * min(out.shape[:2])))
    thin = max(1, thickness // 3)
    is_unsure = np.zeros(len(joints), bool) if confidence is None else confidence < UNSURE
    places = [_fixed(joint) if np.isfinite(joint).all() else None for joint in joints]
    edges = [(2 * max(1, thickness // 2), BLACK)] if colour is None else []
    for extra, forced in [*edges, (0, colour)]:
        for start, end in LIMBS:
            a, b = places[INDEX[start]], places[INDEX[end]]
            if a and b:
                ink = forced or _side(start, end)
                width = thin if is_unsure[INDEX[start]] or is_unsure[INDEX[end]] else thickness
                cv2.line(out, a, b, ink, width + extra, cv2.LINE_AA, FRACTION_BITS)
        for joint, place, is_ring in zip(JOINTS, places, is_unsure, strict=True):
            if place:
                radius = (1.2 * thickness + (0 if is_ring else extra / 2)) * 2**FRACTION_BITS
                ink = forced or _side(joint)
                filled = thin + extra if is_ring else cv2.FILLED
                cv2.circle(out, place, round(radius), ink, filled, cv2.LINE_AA, FRACTION_BITS)


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
