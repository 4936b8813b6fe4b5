import csv

import numpy as np
import pytest

from splitpose.crops.geometry import CropRegion
from splitpose.inference.pose_model import EMPTY_POSE, Prediction
from splitpose.inference.predictions_csv import HEADER, open_predictions
from splitpose.inference.video_io import Frame

JOINTS, CONFIDENCE = np.arange(22.0).reshape(11, 2) / 8, np.linspace(0, 1, 11)


def read_rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_has_id_image_region_joints_and_confidence(tmp_path):
    path = tmp_path / "out" / "predictions.csv"
    with open_predictions(path) as table:
        table.add("ann", "a, b.jpg", Prediction(JOINTS, CONFIDENCE, CropRegion(10, 20.5, 30)))
        frame = Frame(3, 0.12, np.empty(0))
        table.add("ann#000003", "a.mp4", Prediction(JOINTS, CONFIDENCE, CropRegion(1, 2, 3)), frame)
        assert (table.rows, table.empty_rows) == (2, 0)
    image_row, frame_row = read_rows(path)
    assert list(image_row) == list(HEADER)
    assert image_row["image"] == "a, b.jpg"
    assert [image_row[f"region_{part}"] for part in ("x", "y", "side")] == ["10.000", "20.500", "30.000"]
    assert (image_row["lsho_x"], image_row["lsho_y"], image_row["nose_y"]) == ("0.000", "0.125", "2.625")
    assert (image_row["lsho_confidence"], image_row["nose_confidence"]) == ("0.000", "1.000")
    assert image_row["frame"] == image_row["seconds"] == ""
    assert (frame_row["frame"], frame_row["seconds"]) == ("3", "0.120")


def test_missing_values_are_empty(tmp_path):
    path = tmp_path / "predictions.csv"
    with open_predictions(path) as table:
        table.add("ann", "a.jpg", EMPTY_POSE)
        assert (table.rows, table.empty_rows) == (1, 1)
    (row,) = read_rows(path)
    assert {value for name, value in row.items() if name not in ("id", "image")} == {""}


def test_rows_are_written_as_they_are_added_and_survive_an_error(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text("before")

    def fail():
        with open_predictions(path) as table:
            assert path.read_text() == "before"
            table.add("ann", "a.jpg", Prediction(JOINTS, CONFIDENCE, None))
            assert [row["id"] for row in read_rows(path)] == ["ann"]
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert [row["id"] for row in read_rows(path)] == ["ann"]


def test_without_rows_nothing_is_written(tmp_path):
    with open_predictions(tmp_path / "out" / "predictions.csv"):
        pass
    assert list(tmp_path.iterdir()) == []
