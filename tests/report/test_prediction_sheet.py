import re

import cv2
import numpy as np
import pytest
from report.made_up import people, standing

from splitpose.errors import InputError
from splitpose.report import prediction_sheet
from splitpose.skeleton import INDEX


def black(height=100, width=100):
    return np.zeros((height, width, 3), np.uint8)


@pytest.fixture
def captions(monkeypatch):
    """The captions of the cells, in their order."""
    seen = []
    plain = prediction_sheet.captioned
    monkeypatch.setattr(prediction_sheet, "captioned", lambda cell, text: (seen.append(text), plain(cell, text))[1])
    return seen


def moved(count):
    """Predictions of `count` people, person n wrong by n px in x everywhere."""
    return np.repeat(standing()[None], count, axis=0) + np.arange(count)[:, None, None] * [1.0, 0.0]


@pytest.fixture
def data_root(tmp_path):
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "a.png"), np.full((100, 100, 3), 90, np.uint8))
    return tmp_path


def test_prediction_sheet_takes_both_ends_and_the_middle(data_root, captions):
    sheet = prediction_sheet.prediction_sheet(people(9), moved(9), data_root, count=3, cell_width=60)
    # The torso of 50 px makes n px n / 50 torso diameters.
    assert captions == ["smallest: 0.000 torso", "middle: 0.080 torso", "largest: 0.160 torso"]
    assert sheet.shape == (3 * (60 + 22) + 4 * 6, 60 + 2 * 6, 3)


def test_prediction_sheet_is_the_same_every_time(data_root):
    first, second = (
        prediction_sheet.prediction_sheet(people(6), moved(6), data_root, count=6).tobytes() for _ in range(2)
    )
    assert first == second


def test_prediction_sheet_of_fewer_people_than_asked_for(data_root, captions):
    prediction_sheet.prediction_sheet(people(2), moved(2), data_root, count=12)
    assert captions == ["error: 0.000 torso", "error: 0.020 torso"]


def test_people_without_a_score_are_left_out(data_root, captions):
    rows = people(4)
    rows.loc[0, ["lsho_x", "lsho_y"]] = np.nan
    prediction_sheet.prediction_sheet(rows, moved(4), data_root, count=3)
    assert captions == ["smallest: 0.020 torso", "middle: 0.040 torso", "largest: 0.060 torso"]
    with pytest.raises(InputError, match="none of the test people"):
        prediction_sheet.prediction_sheet(rows[:1], moved(1), data_root, count=3)


def test_missing_picture_is_named(tmp_path):
    with pytest.raises(InputError, match=re.escape("pictures/a.png")):
        prediction_sheet.prediction_sheet(people(3), moved(3), tmp_path, count=3)


def test_person_is_centred_in_its_cell():
    picture = black(200, 200)
    truth = np.full((11, 2), np.nan)
    truth[INDEX["lsho"]], truth[INDEX["rhip"]] = [80, 60], [40, 100]
    picture[80, 60] = 255
    cell = prediction_sheet._person(picture, truth, np.full((11, 2), np.nan), size=61)
    # 40 px of person in a square of 60 px, 61 px wide: the middle of the person is the middle of the cell.
    bright = np.argwhere(cell[20:41, 20:41].min(axis=2) > 100) + 20
    assert [30, 30] in bright.tolist()
