"""Crops that a model did best and worst on, with the heatmaps that its joints were read from."""

from collections.abc import Sequence

import cv2
import numpy as np

from splitpose.crops.crop import Crop
from splitpose.drawing import WHITE, captioned, contact_sheet, draw_joints
from splitpose.skeleton import FULL_NAMES, INDEX

MAPS = ("lelb", "lwri", "relb", "rwri")
"""Joints whose heatmaps are shown: those that models differ in."""

BEST, WORST = 2, 4
"""People on a sheet with heatmaps, one a row; without heatmaps there are several in a row."""

COLUMNS = 1 + len(MAPS)


def case_sheet(
    crops: Sequence[Crop],
    joints: np.ndarray,
    errors: np.ndarray,
    heatmaps: np.ndarray | None,
    cell: int = 180,
) -> np.ndarray:
    """A sheet (H, W, 3) uint8 BGR: truth thin and white, what the model found in colours.

    Args:
        crops: of N people, pixels in RGB.
        joints: (N, K, 2) crop px that the model found.
        errors: (N,) mean error of each person in torso diameters, NaN where nobody can tell.
        heatmaps: (N, H, W, K) that the joints were read from, None for a model that gives coordinates.
        cell: px a crop.
    """
    order = [int(n) for n in np.argsort(errors, kind="stable") if not np.isnan(errors[n])]
    rows = 1 if heatmaps is not None else COLUMNS
    worst = order[-WORST * rows :][::-1]
    best = [n for n in order[: BEST * rows] if n not in worst]
    cells = []
    for word, people in (("best", best), ("worst", worst)):
        for n in people:
            cells.append(captioned(_crop(crops[n], joints[n], cell), f"{word}: {errors[n]:.2f} torso"))
            if heatmaps is not None:
                cells += [_map(crops[n], heatmaps[n], joint, cell) for joint in MAPS]
    return contact_sheet(cells, COLUMNS, cell)


def _crop(crop: Crop, found: np.ndarray, side: int) -> np.ndarray:
    zoom = side / crop.pixels.shape[0]
    drawn = draw_joints(_scaled(crop, side), _zoomed(found, zoom), scale=1.4)
    return draw_joints(drawn, _zoomed(crop.joints, zoom), colour=WHITE, scale=0.7)


def _map(crop: Crop, heatmaps: np.ndarray, joint: str, side: int) -> np.ndarray:
    """A joint's heatmap over the greyed crop, 0 dark and 1 bright, its annotated place as a ring."""
    values = np.clip(heatmaps[..., INDEX[joint]], 0, 1)
    height = cv2.resize(values.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap((255 * height).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    grey = cv2.cvtColor(cv2.cvtColor(_scaled(crop, side), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    blended = cv2.addWeighted(grey, 0.35, colours, 0.65, 0)
    truth = _zoomed(crop.joints[INDEX[joint]], side / crop.pixels.shape[0])
    if np.isfinite(truth).all():
        x, y = truth.round().astype(int).tolist()
        cv2.circle(blended, (x, y), side // 22, WHITE, 1, cv2.LINE_AA)
    return captioned(blended, f"{FULL_NAMES[joint]}: {heatmaps[..., INDEX[joint]].max():.2f}")


def _scaled(crop: Crop, side: int) -> np.ndarray:
    how = cv2.INTER_AREA if side < crop.pixels.shape[0] else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(crop.pixels[..., ::-1]), (side, side), interpolation=how)


def _zoomed(joints: np.ndarray, zoom: float) -> np.ndarray:
    """Crop px -> px of the crop drawn larger; the corner of the first pixel, at -0.5, stays there."""
    zoomed: np.ndarray = zoom * (joints + 0.5) - 0.5
    return zoomed
