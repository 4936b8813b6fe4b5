"""Table of the person thresholds of the TFLite files, and of their errors."""

from collections.abc import Mapping
from typing import Any

from splitpose.report.document import Table
from splitpose.report.formatting import format_number
from splitpose.settings import PRECISIONS


def detection_table(detections: Mapping[str, Mapping[str, Any]], data: str) -> Table | None:
    """Return one row per file with a person threshold; None if there is no such file.

    Args:
        detections: content of reports/person_detection/, by variant.
        data: description of the data (see `tables.describe_data`), for the title.
    """
    rows = []
    for variant, detection in detections.items():
        for precision in PRECISIONS:
            file = detection["files"][precision]
            if file["threshold"] is not None:
                rows.append(
                    (
                        f"{variant}, {precision}",
                        format_number(file["threshold"], 3),
                        *(_format_errors(file[split]) for split in ("validation", "test")),
                    )
                )
    if not rows:
        return None
    kinds = " and ".join(sorted({detection["empty_images"] for detection in detections.values()}))
    return Table(
        title=f"Person or no person ({data})",
        headers=("file", "threshold", "chosen on: misses, false alarms", "test: misses, false alarms"),
        rows=tuple(rows),
        note="An image shows a person if the mean confidence of the most confident one that a search finds is not "
        "below the threshold. Misses: images with people in which none is found. False alarms: images without "
        f"people ({kinds}) in which one is found. The test images are not used to choose the threshold.",
    )


def _format_errors(errors: Mapping[str, int]) -> str:
    return f"{errors['misses']} of {errors['people']}, {errors['false_alarms']} of {errors['empty']}"
