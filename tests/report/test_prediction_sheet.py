import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from support.synthetic_report import people, standing

from splitpose.annotations import with_joints
from splitpose.errors import InputError
from splitpose.report import prediction_sheet
from splitpose.skeleton import INDEX


def annotated(count: int) -> pd.DataFrame:
    return people(count).set_index("id")


def predicted(*px: float) -> pd.DataFrame:
    """Return predictions of standing people, each wrong by so many px in x at all joints."""
    right = np.array(px)[:, None, None] * np.array([1.0, 0.0])
    return with_joints(annotated(len(px)), standing() + right)


def entry(person: str, group: str, error: float | None) -> dict[str, Any]:
    return {"id": person, "group": group, "error": error}


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.full((100, 100, 3), 90, np.uint8))
    return tmp_path


def test_prediction_sheet_shows_the_selected_people(data_root: Path, captions: list[str]) -> None:
    selected = [entry("p0", "smallest", 0.0), entry("p4", "median", 0.08), entry("p8", "largest", None)]
    sheet = prediction_sheet.prediction_sheet(
        annotated(9), predicted(*range(9)), selected, data_root, cell_width=60
    )
    assert captions == ["smallest: 0.000 torso", "median: 0.080 torso", "largest: – torso"]
    assert sheet.shape == (3 * (60 + 22) + 4 * 6, 60 + 2 * 6, 3)


def test_prediction_sheet_is_the_same_every_time(data_root: Path) -> None:
    selected = [entry(f"p{n}", "all", 0.1) for n in range(6)]
    first, second = (
        prediction_sheet.prediction_sheet(annotated(6), predicted(*range(6)), selected, data_root).tobytes()
        for _ in range(2)
    )
    assert first == second


def test_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape("images/a.png")):
        prediction_sheet.prediction_sheet(annotated(1), predicted(0), [entry("p0", "all", 0.0)], tmp_path)


def test_person_is_centred_in_its_cell() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    joints = np.full((11, 2), np.nan)
    joints[INDEX["lsho"]], joints[INDEX["rhip"]] = [80, 60], [40, 100]
    image[80, 60] = 255
    cell = prediction_sheet._draw_person(image, joints, np.full((11, 2), np.nan), side=61)
    # 40 px of person in a square of 60 px, 61 px wide: the middle of the person is the middle of the cell.
    bright = np.argwhere(cell[20:41, 20:41].min(axis=2) > 100) + 20
    assert [30, 30] in bright.tolist()


def test_hardest_sheet_has_one_person_per_row_and_one_variant_per_column(
    data_root: Path, captions: list[str]
) -> None:
    sheet = prediction_sheet.hardest_sheet(
        annotated(3),
        {"baseline": predicted(5, 25, 10), "final": predicted(40, 5, 5)},
        [
            {"id": "p0", "errors": {"baseline": 0.1, "final": 0.8}},
            {"id": "p1", "errors": {"baseline": 0.5, "final": 0.1}},
        ],
        data_root,
        cell_width=60,
    )
    assert captions == [
        "baseline: 0.10 torso",
        "final: 0.80 torso",
        "baseline: 0.50 torso",
        "final: 0.10 torso",
    ]
    assert sheet.shape == (2 * (60 + 22) + 3 * 6, 2 * 60 + 3 * 6, 3)
