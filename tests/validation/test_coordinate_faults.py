"""Wrong coordinates are detected with their cause, and correct annotations pass: on people of FLIC and COCO."""

import re
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.coordinate_faults import (
    FRAMES,
    with_box_fault,
    with_boxes_around,
    with_fault_of_both,
    with_joint_fault,
    without_boxes,
)

from splitpose.annotations import BOX_COLUMNS, JOINT_COLUMNS, cast_columns, joints_of, with_joints
from splitpose.data.format_detection import detect_format
from splitpose.skeleton import JOINTS
from splitpose.validation.coordinate_faults import CoordinateFaults, file_of, find_coordinate_faults
from splitpose.validation.placeholders import identical_joints, placeholders

TORSO = ("lsho", "rsho", "lhip", "rhip")


def read_flic(path: Path) -> pd.DataFrame:
    rows = pd.read_csv(path)
    empty = dict.fromkeys(BOX_COLUMNS, np.nan)
    images = "raw/" + rows["image"]
    return cast_columns(rows.assign(image=images, width=720, height=480, split="train", group="film", **empty))


@pytest.fixture(scope="module")
def tables(shared: Path) -> dict[str, pd.DataFrame]:
    """Correct tables; the file names are in the ids."""
    flic = read_flic(shared / "flic/annotations_train.csv")
    coco = {
        name: detect_format(shared / name / "person_keypoints.json").table for name in ("coco_mini", "coco_more")
    }
    return {
        **coco,
        "flic": flic,
        "flic_person_centric": read_flic(shared / "flic/annotations_train_person_centric.csv"),
        "flic_torso_boxes": with_boxes_around(flic, TORSO),
        "coco_without_boxes": without_boxes(coco["coco_mini"]),
    }


@pytest.fixture(scope="module")
def samples(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """40 people of each table."""
    return {name: table.iloc[:: len(table) // 40][:40].reset_index(drop=True) for name, table in tables.items()}


NAMES = ["coco_mini", "coco_more", "flic", "flic_person_centric", "flic_torso_boxes", "coco_without_boxes"]


@pytest.mark.parametrize("name", NAMES)
def test_correct_annotations_pass(tables: dict[str, pd.DataFrame], name: str) -> None:
    table = tables[name]
    faults = find_coordinate_faults(table)
    assert faults.findings == []
    listings = [faults.errors, faults.warnings, *identical_joints(table), *placeholders(table)]
    assert [int(listing.notna().sum()) for listing in listings] == [0] * 6


@pytest.mark.parametrize("people", [1, 2, 3, 5, 10])
def test_correct_annotations_of_few_people_pass(tables: dict[str, pd.DataFrame], people: int) -> None:
    for start in range(0, 300, 25):
        for name in ("coco_mini", "coco_without_boxes", "flic"):
            table = tables[name][start : start + people].reset_index(drop=True)
            faults = find_coordinate_faults(table)
            assert faults.errors.isna().all()
            assert faults.findings == []


WITH_BOXES = ["coco_mini", "coco_more", "flic_torso_boxes"]
WITHOUT_BOXES = ["coco_without_boxes", "flic"]

JOINT_CAUSES = {
    "percent": "percentages (0..100) of the image size",
    "percent, rounded": "percentages (0..100) of the image size",
    "unit": "fractions (0..1) of the image size",
    "thousandths": "thousandths (0..1000) of the image size",
    "unit of the longer side": "fractions (0..1) of the longer side of the image",
    "percent of the longer side": "percentages (0..100) of the longer side of the image",
    "twice as large": "px of images about 2 times as large",
    "half as large": "px of images about 0.5 times as large",
    "resized to 256 x 256": "px of images resized to about 256 x 256",
    "letterbox 256": "px of images with padding (letterbox) to about 256 x 256",
    "axes swapped": "px with x and y exchanged",
    "y upwards": "px with the y axis upwards",
    "thousandths, y before x": "thousandths (0..1000) of the image size with x and y exchanged",
    "unit, y upwards": "fractions (0..1) of the image size with the y axis upwards",
    "negative y": "px with y as a negative number",
    "mirrored": "px of the mirrored image",
    "rotated by 90": "px of the image rotated by 90 degrees",
    "from the centre": "px from the centre of the image",
    "in -1..1": "fractions (-1..1) from the centre of the image",
    "of the box": "px from the corner of the bounding box (of a crop)",
    "unit of the box": "fractions (0..1) of the size of the bounding box",
}


def check_finding(faults: CoordinateFaults, subject: str, cause: str) -> None:
    (finding,) = faults.findings
    assert re.search(rf": the {subject} of \d+ of \d+ people look like {re.escape(cause)} \(.*\): .", finding)


@pytest.mark.parametrize("name", WITH_BOXES)
@pytest.mark.parametrize("fault", JOINT_CAUSES)
def test_wrong_joints_are_quarantined_with_the_cause(
    samples: dict[str, pd.DataFrame], name: str, fault: str
) -> None:
    faults = find_coordinate_faults(with_joint_fault(samples[name], fault))
    if name == "flic_torso_boxes" and ("large" in fault or "resized" in fault or "letterbox" in fault):
        # All images are 720 x 480 and torsos are not in the middle of the joints: the exact size is unknown.
        assert re.search(r": the joints of \d+ of \d+ people look like px of images", faults.findings[0])
    else:
        check_finding(faults, "joints", JOINT_CAUSES[fault])
    assert faults.errors.notna().sum() >= (26 if fault == "y upwards" else 35)


BOX_CAUSES = {
    "corners": "corners (x0, y0, x1, y1) where x, y, width, height are expected",
    "centres": "centre and size (cx, cy, width, height) where the upper left corner is expected",
    "y before x": "px with x and y exchanged",
    "percent": "percentages (0..100) of the image size",
    "unit": "fractions (0..1) of the image size",
    "unit, centres": "fractions (0..1) of the image size, centre and size (cx, cy, width, height) where the upper "
    "left corner is expected",
    "thousandths, corners, y before x": "thousandths (0..1000) of the image size, corners (x0, y0, x1, y1) "
    "where x, y, width, height are expected, with x and y exchanged",
    "y upwards": "px with the y axis upwards",
    "sizes in a table": "x, y, width, height where the corners x0, y0, x1, y1 are expected",
}


# The torsos of FLIC are in the middle of their images: their boxes agree with the joints in both directions.
CONSISTENT = ("flic_torso_boxes", "y upwards")


@pytest.mark.parametrize(
    ("name", "fault"), [pair for pair in product(WITH_BOXES, BOX_CAUSES) if pair != CONSISTENT]
)
def test_wrong_boxes_are_quarantined_with_the_cause(
    samples: dict[str, pd.DataFrame], name: str, fault: str
) -> None:
    faults = find_coordinate_faults(with_box_fault(samples[name], fault))
    check_finding(faults, "boxes", BOX_CAUSES[fault])
    assert faults.errors.notna().sum() >= (24 if fault == "y upwards" else 33)


@pytest.mark.parametrize("name", WITHOUT_BOXES)
@pytest.mark.parametrize("fault", ["percent", "unit", "unit, y upwards", "in -1..1"])
def test_confined_joints_are_quarantined_without_boxes(
    samples: dict[str, pd.DataFrame], name: str, fault: str
) -> None:
    faults = find_coordinate_faults(with_joint_fault(samples[name], fault))
    check_finding(faults, "joints", JOINT_CAUSES[fault])
    assert faults.errors.notna().all()


@pytest.mark.parametrize("name", WITHOUT_BOXES)
@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("thousandths", "thousandths (0..1000) of the image size"),
        ("half as large", "px of images about 0.5 times as large"),
        ("axes swapped", "px with x and y exchanged"),
        ("y upwards", "px with the y axis upwards"),
        ("negative y", "px with y as a negative number"),
        ("from the centre", "px from the centre of the image"),
    ],
)
def test_other_faults_without_boxes_are_warnings(
    samples: dict[str, pd.DataFrame], name: str, fault: str, cause: str
) -> None:
    faults = find_coordinate_faults(with_joint_fault(samples[name], fault))
    assert re.search(rf": the joints of \d+ of \d+ people look like {re.escape(cause)}", faults.findings[0])
    assert faults.errors.isna().all()
    assert faults.warnings.notna().sum() >= 10


@pytest.mark.parametrize("fault", sorted(set(FRAMES) - {"resized to 256 x 256", "letterbox 256", "letterbox 640"}))
def test_joints_and_boxes_that_are_wrong_alike_are_found(samples: dict[str, pd.DataFrame], fault: str) -> None:
    faults = find_coordinate_faults(with_fault_of_both(samples["coco_mini"], fault))
    assert re.search(r": the joints and boxes of \d+ of \d+ people look like ", faults.findings[0])


def single_row(change: Callable[[pd.DataFrame], pd.DataFrame], table: pd.DataFrame, row: int) -> pd.DataFrame:
    """Return the table with one row changed."""
    changed = change(table.iloc[[row]])
    return pd.concat([table[:row], changed, table[row + 1 :]], ignore_index=True)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda t: with_joint_fault(t, "percent"), "joints look like percentages (0..100) of the image size"),
        (lambda t: with_joint_fault(t, "unit"), "joints look like fractions (0..1) of the image size"),
        (lambda t: with_joint_fault(t, "negative y"), "joints look like px with y as a negative number"),
        (lambda t: with_box_fault(t, "percent"), "boxes look like percentages (0..100) of the image size"),
    ],
)
def test_a_single_wrong_row_is_quarantined(
    samples: dict[str, pd.DataFrame], change: Callable[[pd.DataFrame], pd.DataFrame], cause: str
) -> None:
    table = samples["flic_torso_boxes"]
    faults = find_coordinate_faults(single_row(change, table, 7))
    assert faults.errors.dropna().to_dict() == {7: cause}
    assert faults.findings == []


def test_the_box_of_another_person_is_named() -> None:
    # Two people of 40 x 60 px in one image, 100 px apart, with their boxes exchanged.
    pose = np.array([[10 + 4 * k, 10 + 6 * k] for k in range(11)], float)
    boxes = [(105, 5, 155, 75), (5, 5, 55, 75)]
    rows = [
        dict(zip(JOINT_COLUMNS, (pose + [100 * n, 0]).ravel(), strict=True))
        | dict(zip(BOX_COLUMNS, boxes[n], strict=True))
        | {"id": f"file-{n}", "image": "a.png", "width": 200, "height": 100, "split": "train", "group": "g"}
        for n in range(2)
    ]
    faults = find_coordinate_faults(cast_columns(pd.DataFrame(rows)))
    assert faults.errors.tolist() == [f"the joints are in the bounding box of file-{n}" for n in (1, 0)]


def test_a_row_without_its_file_is_of_the_source_of_its_image() -> None:
    table = pd.DataFrame(
        {"id": ["a/b-1", "a/b-2", "x-y-3", "p00"], "image": ["raw/1", "raw/2", "incoming/mon/3", "raw/4"]}
    )
    assert file_of(table).tolist() == ["a/b", "a/b", "incoming/mon", "raw"]


def placed(table: pd.DataFrame, rows: range, joint: int, position: Callable[[pd.Series], tuple[float, float]]):
    """Return the table with a joint of some rows moved."""
    joints = joints_of(table)
    for row in rows:
        joints[row, joint] = position(table.iloc[row])
    return with_joints(table, joints)[table.columns]


@pytest.mark.parametrize(
    ("position", "text"),
    [
        (lambda row: (0, 0), "left wrist at 0, 0 (6 rows of the file)"),
        (lambda row: (-1, -1), "left wrist at -1, -1 (6 rows of the file)"),
        (lambda row: (1, 1), "left wrist at 1, 1 (6 rows of the file)"),
        (lambda row: (-999, -999), "left wrist at -999, -999 (6 rows of the file)"),
        (lambda row: (720, 480), "left wrist at 720, 480 (6 rows of the file)"),
        (lambda row: (20, 30), "left wrist at 20, 30 (6 rows of the file)"),
    ],
)
def test_a_recurring_position_far_from_the_people_is_quarantined(
    samples: dict[str, pd.DataFrame], position: Callable[[pd.Series], tuple[float, float]], text: str
) -> None:
    table = placed(samples["flic_torso_boxes"], range(0, 36, 6), 2, position)
    errors, warnings = placeholders(table)
    assert errors.combine_first(warnings).dropna().to_dict() == dict.fromkeys(range(0, 36, 6), text)
    assert errors.notna().sum() >= 5  # one person is near 720, 480


def test_the_centre_of_images_of_different_sizes_is_recognised(samples: dict[str, pd.DataFrame]) -> None:
    table = samples["coco_mini"]
    table = table[joints_of(table)[:, 2, 0] > 0].reset_index(drop=True)
    rows = range(12)
    errors, warnings = placeholders(placed(table, rows, 2, lambda row: (row["width"] / 2, row["height"] / 2)))
    assert (errors.notna() | warnings.notna()).to_numpy().nonzero()[0].tolist() == list(rows)


def test_one_joint_in_the_corner_of_the_image_is_a_warning(samples: dict[str, pd.DataFrame]) -> None:
    errors, warnings = placeholders(placed(samples["flic"], range(3, 4), 2, lambda row: (0, 0)))
    assert errors.isna().all()
    assert warnings.dropna().to_dict() == {3: "left wrist at 0, 0 (1 row of the file)"}


def test_a_person_who_does_not_move_has_no_placeholder(samples: dict[str, pd.DataFrame]) -> None:
    table = samples["flic"]
    pose = joints_of(table)[:1].repeat(len(table), axis=0)
    pose[:, 2, 0] += np.arange(len(table))  # only a wrist moves
    errors, warnings = placeholders(with_joints(table, pose)[table.columns])
    assert errors.isna().all()
    assert warnings.isna().all()


def test_identical_joints(samples: dict[str, pd.DataFrame]) -> None:
    table = samples["flic"]
    joints = joints_of(table)
    joints[0] = 50, 60
    joints[1, :6] = 50, 60
    joints[2, :3] = 50, 60
    joints[3, [3, 4, 5, 7, 9]] = joints[3, [0, 1, 2, 6, 8]]
    errors, warnings = identical_joints(with_joints(table, joints)[table.columns])
    assert errors.dropna().to_dict() == {0: "11 of 11 joints are at 50, 60", 1: "6 of 11 joints are at 50, 60"}
    assert warnings.dropna().to_dict() == {
        2: "3 of 11 joints are at 50, 60",
        3: "left and right are equal in all 5 pairs",
    }


def test_the_eyes_and_the_nose_of_a_small_person_may_be_one_px(samples: dict[str, pd.DataFrame]) -> None:
    joints = joints_of(samples["flic"])
    joints[0, 8:] = 50, 60
    errors, warnings = identical_joints(with_joints(samples["flic"], joints)[samples["flic"].columns])
    assert errors.isna().all()
    assert warnings.isna().all()


def test_a_wrist_in_the_corner_of_a_tight_crop_is_no_placeholder() -> None:
    """The arm of the person is raised towards the corner, next to the other joints."""
    pose = np.array([[10 + 4 * k, 10 + 6 * k] for k in range(11)], float)
    pose[2] = 0, 0
    row = dict(zip(JOINT_COLUMNS, pose.ravel(), strict=True)) | dict.fromkeys(BOX_COLUMNS, np.nan)
    sizes = {"width": 60, "height": 80, "split": "train", "group": "g"}
    table = cast_columns(pd.DataFrame([row | sizes | {"id": f"file-{n}", "image": f"{n}.png"} for n in range(3)]))
    assert [listing.notna().sum() for listing in placeholders(table)] == [0, 0]
    pose[2] = -1, -1
    table.loc[0, ["lwri_x", "lwri_y"]] = -1
    assert placeholders(table)[1].dropna().to_dict() == {0: "left wrist at -1, -1 (1 row of the file)"}


def test_the_head_of_a_person_may_be_next_to_the_box_of_the_torso(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["flic_torso_boxes"][:50].copy()
    table[[f"{joint}_{axis}" for joint in JOINTS if joint not in ("nose", "leye", "reye") for axis in "xy"]] = (
        np.nan
    )
    faults = find_coordinate_faults(table)
    assert faults.errors.isna().all()
    assert faults.warnings.isna().all()
