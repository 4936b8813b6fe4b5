import csv

import numpy as np
import pytest

from splitpose.crops.geometry import CropRegion
from splitpose.inference import predictions_csv
from splitpose.inference.pose_model import NOBODY

JOINTS, CONFIDENCE = np.arange(22.0).reshape(11, 2) / 8, np.linspace(0, 1, 11)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_has_the_person_the_place_and_the_joints(tmp_path):
    path = tmp_path / "out" / "predictions.csv"
    with predictions_csv.written(path) as writing:
        writing.add("ann", "a, b.jpg", CropRegion(10, 20.5, 30), JOINTS, CONFIDENCE)
        writing.add("ann#000003", "a.mp4", CropRegion(1, 2, 3), JOINTS, CONFIDENCE, 3, 0.12)
        assert writing.count == 2
    picture, frame = rows(path)
    assert list(picture) == list(predictions_csv.HEADER)
    assert picture["image"] == "a, b.jpg"
    assert [picture[f"square_{part}"] for part in ("x", "y", "side")] == ["10.000", "20.500", "30.000"]
    assert (picture["lsho_x"], picture["lsho_y"], picture["nose_y"]) == ("0.000", "0.125", "2.625")
    assert (picture["lsho_confidence"], picture["nose_confidence"]) == ("0.000", "1.000")
    assert picture["frame"] == picture["seconds"] == ""
    assert (frame["frame"], frame["seconds"]) == ("3", "0.120")


def test_what_there_is_not_is_empty(tmp_path):
    path = tmp_path / "predictions.csv"
    with predictions_csv.written(path) as writing:
        writing.add("ann", "a.jpg", None, NOBODY.joints, NOBODY.confidence)
    (row,) = rows(path)
    assert {value for name, value in row.items() if name not in ("id", "image")} == {""}


def test_a_table_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text("before")

    def fails():
        with predictions_csv.written(path) as writing:
            writing.add("ann", "a.jpg", None, JOINTS, CONFIDENCE)
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        fails()
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["predictions.csv"]
