import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import BOX_COLUMNS, JOINT_COLUMNS
from splitpose.crops.instances import crop_coverage, select_croppable, to_instances
from splitpose.errors import InputError


def table(boxes):
    """Return one instance per split; its shoulders are 20 px apart at y = 10, other joints are not annotated."""
    rows = pd.DataFrame(np.nan, index=range(3), columns=JOINT_COLUMNS)
    rows[["lsho_x", "lsho_y", "rsho_x", "rsho_y"]] = [40.0, 10.0, 20.0, 10.0]
    rows[BOX_COLUMNS] = np.array(boxes, float)
    return rows.assign(
        id=list("abc"), image="x.png", width=80, height=60, split=["train", "val", "test"], group="g"
    )


BOX = [20, 0, 40, 50]
NONE = [np.nan] * 4


def settings(profile, **changes):
    return profile.crops.model_copy(update=changes)


def test_regions_of_joints_and_of_boxes(profile):
    rows = table([BOX] * 3)
    (instance, *_) = to_instances(rows, settings(profile, region_from="joints", padding=1.5))
    assert (instance.region.x, instance.region.y, instance.region.side) == (30, 10, 30)
    (instance, *_) = to_instances(rows, settings(profile, region_from="bbox", padding=2.0))
    assert (instance.region.x, instance.region.y, instance.region.side) == (30, 25, 100)
    assert (instance.id, instance.image, instance.image_size) == ("a", "x.png", (80, 60))


def test_instances_without_box_are_left_out_only_if_boxes_are_required():
    rows = pd.concat([table([BOX] * 3), table([NONE] * 3)], ignore_index=True)
    assert len(select_croppable(rows, "joints")) == 6
    assert select_croppable(rows, "bbox").index.tolist() == [0, 1, 2]


def test_split_without_instances_is_reported():
    with pytest.raises(InputError, match=r"split val has no rows with a box \(crops.region_from: bbox\)"):
        select_croppable(table([BOX, NONE, BOX]), "bbox")
    with pytest.raises(InputError, match=r"split test has no rows at all"):
        select_croppable(table([BOX] * 3).iloc[:2], "joints")


def test_recommended_padding_covers_the_joints_of_flic(profile, shared):
    rows = pd.read_csv(shared / "flic" / "annotations_train.csv")
    torso = rows[[f"{joint}_{axis}" for joint in ("lsho", "rsho", "lhip", "rhip") for axis in "xy"]]
    corners = torso.to_numpy().reshape(-1, 4, 2)
    rows[BOX_COLUMNS] = np.hstack([corners.min(axis=1), corners.max(axis=1)])
    rows = rows.assign(width=720, height=480, split="train", group="g")

    def share_inside(region_from, padding):
        return crop_coverage(to_instances(rows, settings(profile, region_from=region_from, padding=padding)))[1]

    assert share_inside("joints", 1.5) == 1.0
    assert share_inside("bbox", 2.5) > 0.998
    assert share_inside("bbox", 1.5) < 0.75


def test_crop_coverage(profile):
    # Joints span 20 px; the crop of 40 px around (30, 10) contains both shoulders, one of 16 px neither.
    boxes = [[20, 5, 40, 15]] * 3
    assert crop_coverage(to_instances(table(boxes), settings(profile, region_from="bbox", padding=2.0))) == (
        0.5,
        1.0,
    )
    assert crop_coverage(to_instances(table(boxes), settings(profile, region_from="bbox", padding=0.8))) == (
        1.25,
        0.0,
    )
