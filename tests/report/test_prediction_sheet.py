import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.synthetic_report import people, standing

from splitpose.errors import InputError
from splitpose.report import prediction_sheet
from splitpose.skeleton import INDEX


def moved(*px: float) -> np.ndarray:
    """(N, K, 2) of standing people, each wrong by so many px in x everywhere."""
    right = np.array(px)[:, None, None] * np.array([1.0, 0.0])
    return np.asarray(standing() + right)


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "a.png"), np.full((100, 100, 3), 90, np.uint8))
    return tmp_path


def test_prediction_sheet_takes_both_ends_and_the_middle(data_root: Path, captions: list[str]) -> None:
    sheet = prediction_sheet.prediction_sheet(people(9), moved(*range(9)), data_root, count=3, cell_width=60)
    # The torso of 50 px makes n px n / 50 torso diameters.
    assert captions == ["smallest: 0.000 torso", "middle: 0.080 torso", "largest: 0.160 torso"]
    assert sheet.shape == (3 * (60 + 22) + 4 * 6, 60 + 2 * 6, 3)


def test_prediction_sheet_is_the_same_every_time(data_root: Path) -> None:
    first, second = (
        prediction_sheet.prediction_sheet(people(6), moved(*range(6)), data_root, count=6).tobytes()
        for _ in range(2)
    )
    assert first == second


def test_prediction_sheet_of_fewer_people_than_asked_for(data_root: Path, captions: list[str]) -> None:
    prediction_sheet.prediction_sheet(people(2), moved(0, 1), data_root, count=12)
    assert captions == ["error: 0.000 torso", "error: 0.020 torso"]


def test_people_without_a_score_are_left_out(data_root: Path, captions: list[str]) -> None:
    rows = people(4)
    rows.loc[0, ["lsho_x", "lsho_y"]] = np.nan
    prediction_sheet.prediction_sheet(rows, moved(*range(4)), data_root, count=3)
    assert captions == ["smallest: 0.020 torso", "middle: 0.040 torso", "largest: 0.060 torso"]
    with pytest.raises(InputError, match="none of the test people"):
        prediction_sheet.prediction_sheet(rows[:1], moved(0), data_root, count=3)


def test_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape("pictures/a.png")):
        prediction_sheet.prediction_sheet(people(3), moved(*range(3)), tmp_path, count=3)


def test_person_is_centred_in_its_cell() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    truth = np.full((11, 2), np.nan)
    truth[INDEX["lsho"]], truth[INDEX["rhip"]] = [80, 60], [40, 100]
    picture[80, 60] = 255
    cell = prediction_sheet._person(picture, truth, np.full((11, 2), np.nan), size=61)
    # 40 px of person in a square of 60 px, 61 px wide: the middle of the person is the middle of the cell.
    bright = np.argwhere(cell[20:41, 20:41].min(axis=2) > 100) + 20
    assert [30, 30] in bright.tolist()


def errors_of(px: list[float]) -> np.ndarray:
    """(N, K) in torso diameters of 50 px."""
    return np.repeat(np.array(px)[:, None] / 50, 11, axis=1)


def test_hardest_are_those_with_the_largest_errors_on_average(data_root: Path, captions: list[str]) -> None:
    px = {"baseline": [5.0, 25.0, 10.0], "final": [40.0, 5.0, 5.0]}  # on average 22.5, 15, 7.5
    sheet = prediction_sheet.hardest_sheet(
        people(3),
        {name: moved(*of_variant) for name, of_variant in px.items()},
        {name: errors_of(of_variant) for name, of_variant in px.items()},
        data_root,
        count=2,
        cell_width=60,
    )
    # One person a row, one variant a column.
    assert captions == ["baseline: 0.10 torso", "final: 0.80 torso", "baseline: 0.50 torso", "final: 0.10 torso"]
    assert sheet.shape == (2 * (60 + 22) + 3 * 6, 2 * 60 + 3 * 6, 3)


def test_one_wild_joint_makes_nobody_the_hardest(data_root: Path, captions: list[str]) -> None:
    errors = {"baseline": errors_of([3.5, 0.0]), "final": errors_of([3.5, 0.0])}
    errors["final"][1, INDEX["nose"]] = 100.0  # counts as 1, half as much on average, and a mean of 0.5 / 11 < 0.07
    predictions = {"baseline": moved(3.5, 0), "final": moved(3.5, 0)}
    prediction_sheet.hardest_sheet(people(2), predictions, errors, data_root, count=1)
    assert captions == ["baseline: 0.07 torso", "final: 0.07 torso"]


def test_a_person_nobody_can_score_is_not_the_hardest(data_root: Path, captions: list[str]) -> None:
    errors = errors_of([10.0, 0.0])
    errors[0] = np.nan
    prediction_sheet.hardest_sheet(people(2), {"final": moved(10, 0)}, {"final": errors}, data_root, count=6)
    assert captions == ["final: 0.00 torso"]
