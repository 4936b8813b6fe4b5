"""Coordinate systems in which annotation tools, models and file formats give joints and bounding boxes.

Each `Hypothesis` is a mistake that a file can contain as a whole: it converts the recorded numbers to px of the
image, so that a file with this mistake is recognised by corrected joints and boxes that agree with each other.

Sources: percentages (Label Studio), 0 to 1 (YOLO, MediaPipe; Apple Vision with y upwards), 0 to 1000
(vision-language models, some of which give y before x), corners (Pascal VOC), centres (YOLO), letterboxed and
resized images (model inputs), and coordinates relative to a person crop (top-down models).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Frame = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Converts points (N, K, 2) of images of `sizes` (N, 1, 2) to px."""

Decoder = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Converts points (N, K, 2) to px, given sizes (N, 1, 2) and recorded boxes (N, 2, 2)."""

FIXED_RANGES = {1: "fractions (0..1) of", 100: "percentages (0..100) of", 1000: "thousandths (0..1000) of"}


@dataclass(frozen=True)
class Hypothesis:
    """A possible mistake in the coordinates of a file."""

    subject: str
    """What is wrong: "joints" or "boxes"."""
    cause: str
    """Completes "the joints look like ..."."""
    remedy: str
    """What to do, as an imperative."""
    convert: Decoder
    """Converts the subject's recorded points to px."""
    complexity: int
    """Assumptions that it makes; the simplest of several hypotheses that fit equally well is reported."""
    is_estimated: bool = False
    """Whether a parameter was estimated from the file, so that a few people always fit."""


def _identity(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return points


def swap_axes(points: np.ndarray) -> np.ndarray:
    """Exchange x and y."""
    return points[..., ::-1]


def _upwards(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.stack([points[..., 0], sizes[..., 1] - 1 - points[..., 1]], axis=-1)


def _negative_y(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.stack([points[..., 0], -points[..., 1]], axis=-1)


def _mirrored(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.stack([sizes[..., 0] - 1 - points[..., 0], points[..., 1]], axis=-1)


def _rotated_right(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.stack([sizes[..., 0] - 1 - points[..., 1], points[..., 0]], axis=-1)


def _rotated_left(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.stack([points[..., 1], sizes[..., 1] - 1 - points[..., 0]], axis=-1)


def _rotated_by_180(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    rotated: np.ndarray = sizes - 1 - points
    return rotated


def _stretched(side: float) -> Frame:
    return lambda points, sizes: points * sizes / side


def _by_longer_side(side: float) -> Frame:
    return lambda points, sizes: points * sizes.max(axis=-1, keepdims=True) / side


def _letterboxed(side: float) -> Frame:
    def convert(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        longer = sizes.max(axis=-1, keepdims=True)
        converted: np.ndarray = points * longer / side - (longer - sizes) / 2
        return converted

    return convert


def _scaled(scale: float) -> Frame:
    return lambda points, sizes: points / scale


def _from_centre(half_range: float | None) -> Frame:
    """Return the frame whose origin is the centre of the image; in px, or in the given range on both sides."""
    return lambda points, sizes: points * (1 if half_range is None else sizes / (2 * half_range)) + sizes / 2


USUAL_RATIOS = (
    1 / 4,
    1 / 3,
    1 / 2,
    3 / 2,
    2,
    3,
    4,
    *(192, 224, 256, 320, 384, 416, 448, 512, 640, 768, 800, 1024, 1280),
)
"""Factors by which images are resized, and sides in px to which they are."""

Named = tuple[str, str, Frame]
"""Cause, remedy and conversion."""


def fixed_frames() -> list[Named]:
    """Return the coordinate systems without parameters, other than px."""
    frames: list[Named] = []
    for side, words in FIXED_RANGES.items():
        divisor = "" if side == 1 else f"/{side}"
        remedy = f"multiply x by width{divisor} and y by height{divisor}"
        frames.append((f"{words} the image size", remedy, _stretched(side)))
    for side, words in FIXED_RANGES.items():
        divisor = "" if side == 1 else f"/{side}"
        remedy = f"multiply x and y by the longer side of the image{divisor and f', divided by {side}'}"
        frames.append((f"{words} the longer side of the image", remedy, _by_longer_side(side)))
    frames += [
        ("px from the centre of the image", "add width/2 to x and height/2 to y", _from_centre(None)),
        (
            "fractions (-1..1) from the centre of the image",
            "use (x + 1) * width/2 and (y + 1) * height/2",
            _from_centre(1),
        ),
        (
            "fractions (-0.5..0.5) from the centre of the image",
            "use (x + 0.5) * width and (y + 0.5) * height",
            _from_centre(0.5),
        ),
    ]
    return frames


def scaled_images(scale: float) -> tuple[str, str]:
    """Return cause and remedy of coordinates of images that were larger or smaller by this factor."""
    change = f"divide x and y by {scale:.2g}" if scale > 1 else f"multiply x and y by {1 / scale:.2g}"
    return f"px of images about {scale:.2g} times as large", f"{change}, or use the images that were annotated"


def estimated_frames(points: np.ndarray, targets: np.ndarray, sizes: np.ndarray) -> list[Named]:
    """Return coordinate systems of resized images, with the size that maps `points` to `targets` best.

    Args:
        points: (N, 2) recorded centres of joints or boxes.
        targets: (N, 2) px, where the centres should be.
        sizes: (N, 2) px.
    """
    longer = sizes.max(axis=1, keepdims=True)
    scale = _median_ratio(points, targets)
    frames = [(*scaled_images(scale), _scaled(scale))]
    side = _median_ratio(points, targets / sizes)
    frames.append(_resized(side, side))
    frames.append(_resized(*(_median_ratio(points[:, axis], (targets / sizes)[:, axis]) for axis in (0, 1))))
    side = _median_ratio(points, targets / longer)
    frames.append(
        (
            f"px of images whose longer side is about {side:.0f}",
            f"multiply x and y by the longer side of the image / {side:.0f}",
            _by_longer_side(side),
        )
    )
    side = _median_ratio(points, (targets + (longer - sizes) / 2) / longer)
    remedy = f"multiply x and y by the longer side of the image / {side:.0f}, then subtract the padding"
    frames.append(
        (f"px of images with padding (letterbox) to about {side:.0f} x {side:.0f}", remedy, _letterboxed(side))
    )
    return frames


def _resized(width: float, height: float) -> Named:
    return (
        f"px of images resized to about {width:.0f} x {height:.0f}",
        f"multiply x by width/{width:.0f} and y by height/{height:.0f}",
        lambda points, sizes: points * sizes / np.array([width, height]),
    )


def _median_ratio(points: np.ndarray, targets: np.ndarray) -> float:
    """Return the ratio of the centres, or a usual one within 5 percent: joints are not centred in their boxes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = points / targets
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    ratio = float(np.median(ratios)) if ratios.size else 1.0
    usual = min(USUAL_RATIOS, key=lambda other: abs(other / ratio - 1))
    return usual if abs(usual / ratio - 1) <= 0.05 else ratio


TURNS: list[Named] = [
    ("with the y axis upwards", "replace y by height - 1 - y", _upwards),
    ("with y as a negative number", "remove the sign of y", _negative_y),
    ("of the mirrored image", "replace x by width - 1 - x", _mirrored),
    ("of the image rotated by 90 degrees", "replace (x, y) by (width - 1 - y, x)", _rotated_right),
    ("of the image rotated by 270 degrees", "replace (x, y) by (y, height - 1 - x)", _rotated_left),
    ("of the image rotated by 180 degrees", "replace (x, y) by (width - 1 - x, height - 1 - y)", _rotated_by_180),
]
SWAPPED = ("with x and y exchanged", "write x before y")

BoxFormat = Callable[[np.ndarray], np.ndarray]
"""Converts recorded corners (N, 2, 2) to those that were meant."""


def _from_corners(boxes: np.ndarray) -> np.ndarray:
    """Undo the addition of the width to x0, for boxes whose width is x1 in reality."""
    return np.stack([boxes[:, 0], boxes[:, 1] - boxes[:, 0]], axis=1)


def _from_centres(boxes: np.ndarray) -> np.ndarray:
    shifted: np.ndarray = boxes - (boxes[:, 1:] - boxes[:, :1]) / 2
    return shifted


def _from_sizes(boxes: np.ndarray) -> np.ndarray:
    return np.stack([boxes[:, 0], boxes[:, 0] + boxes[:, 1]], axis=1)


BOX_FORMATS: list[tuple[str, str, BoxFormat]] = [
    (
        "corners (x0, y0, x1, y1) where x, y, width, height are expected",
        "write x0, y0, x1 - x0, y1 - y0",
        _from_corners,
    ),
    (
        "centre and size (cx, cy, width, height) where the upper left corner is expected",
        "subtract width/2 from x and height/2 from y",
        _from_centres,
    ),
    (
        "x, y, width, height where the corners x0, y0, x1, y1 are expected",
        "write x, y, x + width, y + height",
        _from_sizes,
    ),
]


def joint_hypotheses(frames: list[Named], is_estimated: bool = False) -> list[Hypothesis]:
    """Return the mistakes of joints in one of the frames, or of joints in px if there are no frames."""
    base = bool(frames) + 2 * is_estimated
    hypotheses = []
    for cause, remedy, frame in frames or [("px", "", _identity)]:
        changes = [
            (words, f"{remedy}; {advice}" if remedy else advice, frame, turn) for words, advice, turn in TURNS
        ]
        words, advice = SWAPPED
        changes.append((words, f"{advice}; {remedy}" if remedy else advice, _swapped(frame), _identity))
        for words, steps, convert, turn in changes[-1:] if is_estimated else changes:
            complexity = base + 1 + ("rotated" in words)
            hypotheses.append(_joints(f"{cause} {words}", steps, convert, turn, complexity, is_estimated))
        if frames:
            hypotheses.append(_joints(cause, remedy, frame, _identity, base, is_estimated))
    return hypotheses


def _swapped(frame: Frame) -> Frame:
    return lambda points, sizes: frame(swap_axes(points), sizes)


def _joints(cause: str, remedy: str, frame: Frame, turn: Frame, complexity: int, is_estimated: bool) -> Hypothesis:
    return Hypothesis(
        "joints",
        cause,
        remedy,
        lambda points, sizes, boxes: turn(frame(points, sizes), sizes),
        complexity,
        is_estimated,
    )


def relative_joint_hypotheses() -> list[Hypothesis]:
    """Return the mistakes of joints that are relative to the person's box."""

    def relative(divisor: float | None) -> Decoder:
        def convert(points: np.ndarray, sizes: np.ndarray, boxes: np.ndarray) -> np.ndarray:
            factor = 1 if divisor is None else (boxes[:, 1:] - boxes[:, :1]) / divisor
            converted: np.ndarray = points * factor + boxes[:, :1]
            return converted

        return convert

    px = Hypothesis(
        "joints",
        "px from the corner of the bounding box (of a crop)",
        "add x0 and y0 of the box",
        relative(None),
        1,
    )
    others = [
        Hypothesis(
            "joints",
            f"{words} the size of the bounding box",
            f"multiply by width and height of the box{f', divided by {side}' if side > 1 else ''}; add x0 and y0",
            relative(side),
            2,
        )
        for side, words in FIXED_RANGES.items()
    ]
    return [px, *others]


def box_hypotheses(frames: list[Named], is_estimated: bool = False) -> list[Hypothesis]:
    """Return the mistakes of boxes in px (only without `frames`) or in one of the frames."""
    formats: list[tuple[str, str, BoxFormat | None]] = [("", "", None), *BOX_FORMATS]
    hypotheses = []
    for cause, remedy, frame in frames or [("", "", _identity)]:
        for format_cause, format_remedy, convert in formats:
            for words, advice in [("", ""), SWAPPED]:
                causes = [text for text in (cause, format_cause, words) if text]
                if causes:
                    steps = "; ".join(text for text in (advice, format_remedy, remedy) if text)
                    complexity = len(causes) + 2 * is_estimated
                    text = ", ".join(causes) if cause or format_cause else f"px {words}"
                    decode = _box_decoder(convert, frame, bool(words))
                    hypotheses.append(Hypothesis("boxes", text, steps, decode, complexity, is_estimated))
        if not is_estimated:
            words, advice, _ = TURNS[0]
            steps = f"{remedy}; {advice}" if remedy else advice
            hypotheses.append(
                Hypothesis("boxes", f"{cause or 'px'} {words}", steps, _boxes_upwards(frame), 1 + bool(cause))
            )
    return hypotheses


def _boxes_upwards(frame: Frame) -> Decoder:
    return lambda points, sizes, boxes: np.sort(_upwards(frame(points, sizes), sizes), axis=1)


def _box_decoder(convert: BoxFormat | None, frame: Frame, is_swapped: bool) -> Decoder:
    def decode(points: np.ndarray, sizes: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        points = swap_axes(points) if is_swapped else points
        return frame(convert(points) if convert else points, sizes)

    return decode
