"""Drawing with OpenCV: joints and limbs, crop regions, captions and contact sheets.

Images are (H, W, 3) uint8 in BGR, OpenCV's order. Pixel centres are at integers.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from splitpose.crops.geometry import CropRegion
from splitpose.skeleton import INDEX, JOINTS, LIMBS

LEFT, RIGHT, MIDDLE = (178, 114, 0), (0, 94, 213), (66, 228, 240)
"""Blue, vermilion and yellow of Okabe and Ito's palette, as BGR."""
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (128, 128, 128)
MIN_CONFIDENCE = 0.5
"""Confidence below which a joint is drawn as uncertain: its heatmap peak is less than half the maximal height."""
FRACTION_BITS = 4
"""Fractional bits of cv2's fixed-point positions; with integer positions, thin lines jump between frames."""


def draw_joints(
    image: np.ndarray,
    joints: np.ndarray,
    colour: tuple[int, int, int] | None = None,
    scale: float = 1.0,
    confidence: np.ndarray | None = None,
) -> np.ndarray:
    """Return a copy of `image` with a person drawn into it.

    Args:
        image: (H, W, 3) uint8 BGR.
        joints: (K, 2) px; a joint that is NaN is not drawn, nor are its limbs.
        colour: BGR colour of all joints and limbs; None uses LEFT, RIGHT and MIDDLE with a black outline.
        scale: line thickness relative to the default for the image's size.
        confidence: (K,); joints below MIN_CONFIDENCE are drawn as rings with thin limbs. NaN and None count as
            confident.
    """
    out = image.copy()
    _draw(out, joints, colour, scale, confidence)
    return out


def draw_prediction(image: np.ndarray, joints: np.ndarray, confidence: np.ndarray, region: CropRegion) -> None:
    """Draw a person, the crop region and the mean confidence, if there is one, into an image.

    Args:
        image: (H, W, 3) uint8 BGR, changed in place.
        joints: (K, 2) px.
        confidence: (K,) from 0 to 1, or NaN; see `draw_joints`.
        region: the crop region of the prediction; it is not drawn if it contains the entire image.
    """
    height, width = image.shape[:2]
    centre = np.array([region.x, region.y])
    low, high = (
        np.rint(np.clip(centre + offset, -1e4, 1e5)).astype(int) for offset in (-region.side / 2, region.side / 2)
    )
    thin = max(1, round(0.002 * min(height, width)))
    if (low > 0).any() or (high < [width - 1, height - 1]).any():
        for colour, thickness in ((BLACK, 3 * thin), (WHITE, thin)):
            cv2.rectangle(image, low.tolist(), high.tolist(), colour, thickness)
    _draw(image, joints, None, 1.0, confidence)
    if np.isfinite(confidence).all():
        size = max(0.4, 0.0015 * min(height, width))
        corner = np.clip(low + [4 * thin, round(28 * size)], [4, round(24 * size)], [width - 1, height - 1])
        text, font = f"{confidence.mean():.2f}", cv2.FONT_HERSHEY_SIMPLEX
        for colour, thickness in ((BLACK, 4 * thin), (WHITE, thin)):
            cv2.putText(image, text, corner.tolist(), font, size, colour, thickness, cv2.LINE_AA)


def add_caption(image: np.ndarray, caption: str) -> np.ndarray:
    """Return the image with a line of black text on white below it."""
    strip = np.full((22, image.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, caption, (2, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, BLACK, 1, cv2.LINE_AA)
    return np.vstack([image, strip])


def encode_jpeg(image: np.ndarray) -> bytes:
    """Encode an image as JPEG."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def contact_sheet(images: Sequence[np.ndarray], columns: int, cell_width: int, gap: int = 6) -> np.ndarray:
    """Arrange images on white, `columns` per row, each scaled to a width of `cell_width` px."""
    if not images:
        raise ValueError("a contact sheet requires at least one image")
    cells = [_resize(image, cell_width) for image in images]
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


def _draw(
    out: np.ndarray,
    joints: np.ndarray,
    colour: tuple[int, int, int] | None,
    scale: float,
    confidence: np.ndarray | None,
) -> None:
    """Draw a person into `out`, in place: first the black outline, if `colour` is None, then the colours."""
    thickness = max(1, round(0.006 * scale * min(out.shape[:2])))
    thin = max(1, thickness // 3)
    is_uncertain = np.zeros(len(joints), bool) if confidence is None else confidence < MIN_CONFIDENCE
    positions = [_to_fixed_point(joint) if np.isfinite(joint).all() else None for joint in joints]
    outline = [(2 * max(1, thickness // 2), BLACK)] if colour is None else []
    for extra_width, pass_colour in [*outline, (0, colour)]:
        for start, end in LIMBS:
            a, b = positions[INDEX[start]], positions[INDEX[end]]
            if a and b:
                limb_colour = pass_colour or _colour_of(start, end)
                width = thin if is_uncertain[INDEX[start]] or is_uncertain[INDEX[end]] else thickness
                cv2.line(out, a, b, limb_colour, width + extra_width, cv2.LINE_AA, FRACTION_BITS)
        for joint, position, is_ring in zip(JOINTS, positions, is_uncertain, strict=True):
            if position:
                radius = (1.2 * thickness + (0 if is_ring else extra_width / 2)) * 2**FRACTION_BITS
                joint_colour = pass_colour or _colour_of(joint)
                line_width = thin + extra_width if is_ring else cv2.FILLED
                cv2.circle(out, position, round(radius), joint_colour, line_width, cv2.LINE_AA, FRACTION_BITS)


def _colour_of(*joints: str) -> tuple[int, int, int]:
    """Return the colour of a joint or limb: that of its side if all its joints are on the same side."""
    sides = {joint[0] for joint in joints if joint != "nose"} if "nose" not in joints else set()
    return LEFT if sides == {"l"} else RIGHT if sides == {"r"} else MIDDLE


def _to_fixed_point(position: np.ndarray) -> tuple[int, int]:
    """Convert a position in px to cv2's fixed point, clipped far outside the image so that it cannot overflow."""
    x, y = np.rint(np.clip(position, -1e4, 1e4) * 2**FRACTION_BITS).astype(int)
    return int(x), int(y)


def _resize(image: np.ndarray, width: int) -> np.ndarray:
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    interpolation = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_LINEAR
    return image if image.shape[1] == width else cv2.resize(image, (width, height), interpolation=interpolation)
