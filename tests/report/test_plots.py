from pathlib import Path

import pandas as pd
import pytest

from splitpose.report import plots
from splitpose.report.results import Evidence


@pytest.fixture
def folder(evidence: Evidence, tmp_path: Path) -> Path:
    plots.write(evidence, tmp_path)
    return tmp_path


def test_training_has_every_look_of_every_variant(folder: Path) -> None:
    rows = pd.read_csv(folder / "training.csv")
    assert rows["variant"].tolist() == ["baseline"] * 4 + ["final"] * 4
    assert rows["iteration"].tolist() == [10, 20, 30, 40] * 2
    assert rows["val_pck_0.2"].tolist() == [20, 50, 70, 65] * 2


def test_thresholds_have_the_curve_of_every_variant(folder: Path) -> None:
    rows = pd.read_csv(folder / "thresholds.csv")
    assert list(rows.columns) == ["variant", "threshold", "mean", "elbow", "wrist"]
    assert len(rows) == 2 * 61
    at = {(row[0], row[1]): row[2:] for row in rows.itertuples(index=False, name=None)}
    # baseline is 0.4 off at all wrists, final 0.28 at all joints of one in six.
    assert at["baseline", 0.2] == (81.818, 100, 0)
    assert at["final", 0.275] == (83.333, 83.333, 83.333)
    assert at["final", 0.285] == (100, 100, 100)
