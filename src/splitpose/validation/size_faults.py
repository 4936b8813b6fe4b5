"""Detection of files whose images have another size than the file states."""

import numpy as np
import pandas as pd

from splitpose.validation.coordinate_faults import rows_by_file

MIN_FRACTION = 0.5
"""Part of the rows of a file that must differ."""


def find_size_faults(metrics: pd.DataFrame) -> list[str]:
    """Return one line per file whose images have other sizes than it states, with the likely cause.

    `metrics` is the result of `add_row_metrics`.
    """
    findings = []
    sizes = metrics["image_size"].str.extract(r"(\d+)x(\d+)").astype(float).to_numpy()
    stated = metrics[["width", "height"]].to_numpy(np.float64)
    for file, rows in rows_by_file(metrics):
        known = rows[np.isfinite(sizes[rows]).all(axis=1)]
        different = known[(sizes[known] != stated[known]).any(axis=1)]
        if len(different) >= max(1, MIN_FRACTION * len(rows)):
            example = f"{stated[different[0], 0]:.0f} x {stated[different[0], 1]:.0f}"
            found = f"{sizes[different[0], 0]:.0f} x {sizes[different[0], 1]:.0f}"
            findings.append(
                f"{file}: the images of {len(different):,} of {len(rows):,} people have other sizes than the file "
                f"states ({found} instead of {example}): {_cause(stated[different], sizes[different])}"
            )
    return findings


def _cause(stated: np.ndarray, sizes: np.ndarray) -> str:
    """Return cause and remedy for stated and real sizes (N, 2)."""
    if (stated == sizes[:, ::-1]).all():
        return (
            "width and height are exchanged, or the images were rotated after the annotation; exchange them, or "
            "use the images that were annotated"
        )
    ratios = sizes / stated
    if np.ptp(ratios) <= 0.02 * ratios.mean():
        return (
            f"the images were resized by {ratios.mean():.3g} after the annotation; use the images that were "
            f"annotated, or multiply width, height, joints and boxes by {ratios.mean():.3g}"
        )
    return "use the images that were annotated"
