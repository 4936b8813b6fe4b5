"""Contact sheet of the crops with the smallest and the largest errors, with the predicted heatmaps."""

from collections.abc import Sequence

import cv2
import numpy as np

from splitpose.crops.crop import Crop
from splitpose.drawing import WHITE, add_caption, contact_sheet, draw_joints
from splitpose.skeleton import FULL_NAMES, INDEX

HEATMAP_JOINTS = ("lelb", "lwri", "relb", "rwri")
"""Joints whose heatmaps are shown: those for which the models differ most."""

BEST, WORST = 2, 4
"""Rows of the best and the worst crops: one crop with its heatmaps per row, or COLUMNS crops without heatmaps."""

COLUMNS = 1 + len(HEATMAP_JOINTS)


def case_sheet(
    crops: Sequence[Crop],
    joints: np.ndarray,
    errors: np.ndarray,
    heatmaps: np.ndarray | None,
    cell_width: int = 180,
) -> np.ndarray:
    """Draw the sheet, (H, W, 3) uint8 BGR: ground truth thin and white, predictions in colours.

    Args:
        crops: N crops, pixels in RGB.
        joints: (N, K, 2) predicted crop px.
        errors: (N,) mean error of each instance in torso diameters, NaN where not scored.
        heatmaps: (N, H, W, K) that the joints were decoded from, None for coordinates.
        cell_width: px per crop.
    """
    order = [int(n) for n in np.argsort(errors, kind="stable") if not np.isnan(errors[n])]
    per_row = 1 if heatmaps is not None else COLUMNS
    worst = order[-WORST * per_row :][::-1]
    best = [n for n in order[: BEST * per_row] if n not in worst]
    cells = []
    for group, members in (("best", best), ("worst", worst)):
        for n in members:
            caption = f"{group}: {errors[n]:.2f} torso"
            cells.append(add_caption(_draw_crop(crops[n], joints[n], cell_width), caption))
            if heatmaps is not None:
                cells += [_draw_heatmap(crops[n], heatmaps[n], joint, cell_width) for joint in HEATMAP_JOINTS]
    return contact_sheet(cells, COLUMNS, cell_width)


def _draw_crop(crop: Crop, predicted: np.ndarray, side: int) -> np.ndarray:
    zoom = side / crop.pixels.shape[0]
    image = draw_joints(_resize(crop, side), _zoom(predicted, zoom), scale=1.4)
    return draw_joints(image, _zoom(crop.joints, zoom), colour=WHITE, scale=0.7)


def _draw_heatmap(crop: Crop, heatmaps: np.ndarray, joint: str, side: int) -> np.ndarray:
    """Draw a joint's heatmap over the grey crop, 0 dark and 1 bright, with a ring at the annotated position."""
    values = np.clip(heatmaps[..., INDEX[joint]], 0, 1)
    resized = cv2.resize(values.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap((255 * resized).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    grey = cv2.cvtColor(cv2.cvtColor(_resize(crop, side), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    blended = cv2.addWeighted(grey, 0.35, colours, 0.65, 0)
    annotated = _zoom(crop.joints[INDEX[joint]], side / crop.pixels.shape[0])
    if np.isfinite(annotated).all():
        x, y = annotated.round().astype(int).tolist()
        cv2.circle(blended, (x, y), side // 22, WHITE, 1, cv2.LINE_AA)
    return add_caption(blended, f"{FULL_NAMES[joint]}: {heatmaps[..., INDEX[joint]].max():.2f}")


def _resize(crop: Crop, side: int) -> np.ndarray:
    interpolation = cv2.INTER_AREA if side < crop.pixels.shape[0] else cv2.INTER_LINEAR
    pixels = np.ascontiguousarray(crop.pixels[..., ::-1])
    resized: np.ndarray = cv2.resize(pixels, (side, side), interpolation=interpolation)
    return resized


def _zoom(joints: np.ndarray, zoom: float) -> np.ndarray:
    """Convert crop px to px of the enlarged crop; the corner of the first pixel stays at -0.5."""
    zoomed: np.ndarray = zoom * (joints + 0.5) - 0.5
    return zoomed
