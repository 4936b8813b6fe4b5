import numpy as np
from support.synthetic_report import standing

from splitpose.crops.crop import Crop
from splitpose.report import case_sheet
from splitpose.skeleton import INDEX

SIDE = 96
"""px of a crop; its heatmaps have a quarter of its side."""


def crops(count: int, colour: tuple[int, int, int] = (90, 90, 90)) -> list[Crop]:
    pixels = np.full((SIDE, SIDE, 3), colour, np.uint8)
    return [Crop(f"p{n}", pixels, standing(), np.eye(2, 3)) for n in range(count)]


def predicted(count: int) -> np.ndarray:
    return np.repeat(standing()[None], count, axis=0)


def peaks(count: int, height: float) -> np.ndarray:
    """(N, H, W, K) with one pixel above zero: the one at column 6, row 18."""
    maps = np.zeros((count, SIDE // 4, SIDE // 4, 11), np.float32)
    maps[:, 18, 6] = height
    return maps


def test_without_heatmaps_people_fill_the_rows(captions: list[str]) -> None:
    errors = np.arange(31) / 100
    sheet = case_sheet.case_sheet(crops(31), predicted(31), errors, None, cell_width=40)
    # 10 of the best, then 20 of the worst, the worst first; p10 is neither.
    assert captions[:2] == ["best: 0.00 torso", "best: 0.01 torso"]
    assert captions[9:12] == ["best: 0.09 torso", "worst: 0.30 torso", "worst: 0.29 torso"]
    assert captions[-1] == "worst: 0.11 torso"
    assert len(captions) == 30
    assert sheet.shape == (6 * (40 + 22 + 6) + 6, 5 * (40 + 6) + 6, 3)


def test_with_heatmaps_each_person_has_a_row(captions: list[str]) -> None:
    errors = np.array([0.3, 0.1, 0.2, 0.5, 0.4, 0.7, 0.6])
    sheet = case_sheet.case_sheet(crops(7), predicted(7), errors, peaks(7, 0.75), cell_width=40)
    maps = ["left elbow: 0.75", "left wrist: 0.75", "right elbow: 0.75", "right wrist: 0.75"]
    words = ["best: 0.10", "best: 0.20", "worst: 0.70", "worst: 0.60", "worst: 0.50", "worst: 0.40"]
    assert [text for text in captions if "torso" in text] == [f"{word} torso" for word in words]
    assert [text for text in captions if "torso" not in text] == maps * 6
    assert sheet.shape == (6 * (40 + 22 + 6) + 6, 5 * (40 + 6) + 6, 3)


def test_best_and_worst_do_not_overlap_and_unscored_people_are_left_out(captions: list[str]) -> None:
    errors = np.array([0.1, np.nan, 0.3, 0.2])
    case_sheet.case_sheet(crops(4), predicted(4), errors, None, cell_width=40)
    assert captions == ["worst: 0.30 torso", "worst: 0.20 torso", "worst: 0.10 torso"]


def test_crops_are_rgb_and_the_sheet_is_bgr() -> None:
    sheet = case_sheet.case_sheet(crops(1, (200, 0, 0)), predicted(1), np.array([0.1]), None, cell_width=SIDE)
    assert sheet[6 + 2, 6 + 2].tolist() == [0, 0, 200]


def test_a_peak_is_bright_and_the_annotation_is_a_ring() -> None:
    cell = case_sheet._draw_heatmap(crops(1)[0], peaks(1, 1.0)[0], "lwri", side=4 * SIDE)
    brightest = np.unravel_index(cell[: 4 * SIDE].sum(axis=2)[:, : 2 * SIDE].argmax(), (4 * SIDE, 2 * SIDE))
    # Heatmap px are 16 of the cell's: column 6 begins at 96, row 18 at 288.
    assert 288 <= brightest[0] < 304
    assert 96 <= brightest[1] < 112
    # The ring of radius 4 * 96 // 22 = 17 around the left wrist at 4 * (70.5, 78.5) - 0.5.
    x, y = 281 + 17, 313
    assert standing()[INDEX["lwri"]].tolist() == [70, 78]
    assert cell[y, x - 1 : x + 2].min(axis=1).max() > 200
    assert cell[y, x - 17].max() < 150


def test_an_unannotated_joint_has_no_ring() -> None:
    joints = standing()
    joints[INDEX["lwri"]] = np.nan
    crop = Crop("p", np.full((SIDE, SIDE, 3), 90, np.uint8), joints, np.eye(2, 3))
    cell = case_sheet._draw_heatmap(crop, np.zeros((24, 24, 11), np.float32), "lwri", side=SIDE)
    assert len(np.unique(cell[:SIDE].reshape(-1, 3), axis=0)) == 1
