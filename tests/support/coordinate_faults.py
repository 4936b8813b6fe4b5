"""Mistakes in coordinates that annotation files contain, applied to correct annotation tables."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, joints_of, with_joints

Points = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Converts points (N, K, 2), given sizes (N, 1, 2) and boxes (N, 2, 2), to what the file contains."""


def _upwards(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.stack([points[..., 0], sizes[..., 1] - 1 - points[..., 1]], axis=-1)


def _longer(sizes: np.ndarray) -> np.ndarray:
    return sizes.max(axis=-1, keepdims=True)


def _rounded(points: Points) -> Points:
    return lambda p, s, b: points(p, s, b).round()


FRAMES: dict[str, Points] = {
    "percent": lambda p, s, b: 100 * p / s,
    "percent, rounded": lambda p, s, b: (100 * p / s).round(),
    "unit": lambda p, s, b: p / s,
    "thousandths": lambda p, s, b: 1000 * p / s,
    "unit of the longer side": lambda p, s, b: p / _longer(s),
    "percent of the longer side": lambda p, s, b: 100 * p / _longer(s),
    "twice as large": lambda p, s, b: 2 * p,
    "half as large": lambda p, s, b: p / 2,
    "a third as large": lambda p, s, b: p / 3,
    "resized to 256 x 256": lambda p, s, b: 256 * p / s,
    "longer side 1280": lambda p, s, b: 1280 * p / _longer(s),
    "letterbox 640": lambda p, s, b: 640 * (p + (_longer(s) - s) / 2) / _longer(s),
    "letterbox 256": lambda p, s, b: 256 * (p + (_longer(s) - s) / 2) / _longer(s),
    "axes swapped": lambda p, s, b: p[..., ::-1],
    "y upwards": lambda p, s, b: _upwards(p, s),
    "thousandths, y before x": lambda p, s, b: (1000 * p / s)[..., ::-1].round(),
    "unit, y before x": lambda p, s, b: (p / s)[..., ::-1],
    "unit, y upwards": lambda p, s, b: _upwards(p, s) / s,
}

JOINT_FAULTS: dict[str, Points] = FRAMES | {
    "negative y": lambda p, s, b: p * [1, -1],
    "mirrored": lambda p, s, b: np.stack([s[..., 0] - 1 - p[..., 0], p[..., 1]], axis=-1),
    "rotated by 180": lambda p, s, b: s - 1 - p,
    "rotated by 90": lambda p, s, b: np.stack([p[..., 1], s[..., 0] - 1 - p[..., 0]], axis=-1),
    "from the centre": lambda p, s, b: p - s / 2,
    "in -1..1": lambda p, s, b: 2 * p / s - 1,
    "of the box": lambda p, s, b: p - b[:, :1],
    "unit of the box": lambda p, s, b: (p - b[:, :1]) / (b[:, 1:] - b[:, :1]),
}


def _sizes(table: pd.DataFrame) -> np.ndarray:
    return table[["width", "height"]].to_numpy(np.float64)[:, None]


def _boxes(table: pd.DataFrame) -> np.ndarray:
    return table[BOX_COLUMNS].to_numpy(np.float64).reshape(-1, 2, 2)


def _with_boxes(table: pd.DataFrame, boxes: np.ndarray) -> pd.DataFrame:
    return table.assign(**dict(zip(BOX_COLUMNS, boxes.reshape(-1, 4).T, strict=True)))


def with_joint_fault(table: pd.DataFrame, fault: str) -> pd.DataFrame:
    """Return the table with joints as a file with this fault has them."""
    joints = JOINT_FAULTS[fault](joints_of(table), _sizes(table), _boxes(table))
    return with_joints(table, joints)[table.columns]


def _coco(corners: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Write boxes as x, y, width, height of COCO, change these numbers and read them again."""
    start, end = corners[:, 0] + 0.5, corners[:, 1] + 0.5
    numbers = change(np.stack([start, end - start], axis=1))
    return np.stack([numbers[:, 0], numbers.sum(axis=1)], axis=1) - 0.5


def _as_centres(boxes: np.ndarray) -> np.ndarray:
    return np.stack([boxes[:, 0] + boxes[:, 1] / 2, boxes[:, 1]], axis=1)


BOX_FORMATS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "corners": lambda b: np.stack([b[:, 0], b.sum(axis=1)], axis=1),
    "centres": _as_centres,
    "y before x": lambda b: b[..., ::-1],
    "corners, y before x": lambda b: np.stack([b[:, 0], b.sum(axis=1)], axis=1)[..., ::-1],
}

BOX_FAULTS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    **{name: lambda b, s, change=change: _coco(b, change) for name, change in BOX_FORMATS.items()},
    "percent": lambda b, s: _coco(b, lambda n: 100 * n / s),
    "unit": lambda b, s: _coco(b, lambda n: n / s),
    "unit, centres": lambda b, s: _coco(b, lambda n: _as_centres(n / s)),
    "unit, corners": lambda b, s: _coco(b, lambda n: BOX_FORMATS["corners"](n / s)),
    "thousandths, corners, y before x": lambda b, s: _coco(
        b, lambda n: BOX_FORMATS["corners, y before x"](1000 * n / s)
    ),
    "twice as large": lambda b, s: _coco(b, lambda n: 2 * n),
    "half as large": lambda b, s: _coco(b, lambda n: n / 2),
    "y upwards": lambda b, s: np.sort(_upwards(b, s), axis=1),
    "sizes in a table": lambda b, s: np.stack([b[:, 0], b[:, 1] - b[:, 0]], axis=1),
}


def with_box_fault(table: pd.DataFrame, fault: str) -> pd.DataFrame:
    """Return the table with boxes as a file with this fault has them."""
    return _with_boxes(table, BOX_FAULTS[fault](_boxes(table), _sizes(table)))


def with_fault_of_both(table: pd.DataFrame, fault: str) -> pd.DataFrame:
    """Return the table with joints and boxes in the same wrong coordinates."""
    corners = FRAMES[fault](_boxes(table), _sizes(table), _boxes(table))
    return _with_boxes(with_joint_fault(table, fault), np.sort(corners, axis=1))


def without_boxes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table without boxes."""
    return table.assign(**dict.fromkeys(BOX_COLUMNS, np.nan))


def with_boxes_around(table: pd.DataFrame, joints: tuple[str, ...]) -> pd.DataFrame:
    """Return the table with boxes around some joints, with a margin: FLIC's public rows have none."""
    points = table[[f"{joint}_{axis}" for joint in joints for axis in "xy"]].to_numpy().reshape(len(table), -1, 2)
    low, high = points.min(axis=1), points.max(axis=1)
    margin = 0.1 * (high - low)
    return _with_boxes(table, np.stack([low - margin, high + margin], axis=1))
