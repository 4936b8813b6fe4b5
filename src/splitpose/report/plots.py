"""Curves of all variants in one file each, as DVC's plots read them: a column says whose a row is."""

from pathlib import Path

import numpy as np
import pandas as pd

from splitpose.evaluation.pck import pck
from splitpose.evaluation.summary import GROUPS
from splitpose.report.figures import THRESHOLDS
from splitpose.report.results import Evidence
from splitpose.skeleton import INDEX

SHOWN = ("mean", "elbow", "wrist")


def write(evidence: Evidence, folder: Path) -> None:
    """Write training.csv (looks at the validation people) and thresholds.csv (PCK of the test people)."""
    looks = [rows.assign(variant=name) for name, rows in evidence.histories.items()]
    pd.concat(looks).to_csv(folder / "training.csv", index=False)
    points = []
    for name, errors in evidence.errors.items():
        for threshold in THRESHOLDS:
            found = pck(errors, threshold)
            means = {group: np.nanmean(found[[INDEX[joint] for joint in GROUPS[group]]]) for group in SHOWN}
            points.append({"variant": name, "threshold": threshold} | means)
    pd.DataFrame(points).round(3).to_csv(folder / "thresholds.csv", index=False)
