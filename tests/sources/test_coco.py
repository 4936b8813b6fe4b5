import json

import numpy as np
import pytest

from splitpose.annotations import joints_of
from splitpose.errors import InputError
from splitpose.skeleton import INDEX
from splitpose.sources import coco

NAMES = ["nose", "left_shoulder", "Right Shoulder", "left_ankle", "left_hip"]


def content(**person):
    keypoints = [11, 21, 2, 5, 6, 1, 7, 8, 2, 1, 1, 2, 0, 0, 0]
    one = {"id": 7, "image_id": 1, "category_id": 1, "iscrowd": 0, "keypoints": keypoints, "bbox": [1, 2, 30, 40]}
    return {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}],
        "categories": [{"id": 1, "name": "person", "keypoints": NAMES}],
        "annotations": [one | person],
    }


def read(tmp_path, data, min_joints=3):
    (tmp_path / coco.ANNOTATIONS).write_text(json.dumps(data))
    return coco.read(tmp_path, min_joints)


def test_a_person_by_hand(tmp_path):
    table = read(tmp_path, content())
    joints = joints_of(table)[0]
    # COCO's 11, 21 is a place between pixels' corners; half a pixel less counts from pixel centres.
    np.testing.assert_array_equal(joints[INDEX["nose"]], [10.5, 20.5])
    np.testing.assert_array_equal(joints[INDEX["lsho"]], [4.5, 5.5])
    np.testing.assert_array_equal(joints[INDEX["rsho"]], [6.5, 7.5])
    assert np.isnan(joints[INDEX["lhip"]]).all()
    assert np.isfinite(joints).all(axis=1).sum() == 3
    row = table.iloc[0]
    assert (row["id"], row["image"], row["split"], row["group"]) == ("7", "images/a.jpg", "train", "a.jpg")
    assert row[["box_x0", "box_y0", "box_x1", "box_y1"]].tolist() == [0.5, 1.5, 30.5, 41.5]


def test_crowds_and_people_with_few_joints_are_left_out(tmp_path):
    data = content()
    data["annotations"] += content(id=8, iscrowd=1)["annotations"]
    data["annotations"] += content(id=9, keypoints=[1, 1, 2, *[0] * 12])["annotations"]
    assert read(tmp_path, data)["id"].tolist() == ["7"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "has no list 'images'"),
        ({**content(), "annotations": None}, "has no list 'annotations'"),
        (content(keypoints=[1, 2]), r"annotations\[0\]: keypoints are not triples"),
        (content(keypoints=["x", 1, 2] * 5), r"annotations\[0\]: keypoints are not triples"),
        (content(keypoints=[1, 2, 2]), r"annotations\[0\]: 1 keypoints, its category names more"),
        (content(image_id=5), r"annotations\[0\]: image_id 5 is not among the images"),
        (content(iscrowd=1), "nobody has 3 of the 11 joints"),
        (
            {**content(), "categories": [{"id": 1, "keypoints": ["tail"]}]},
            "category None has none of the 11 joints",
        ),
    ],
)
def test_bad_content_is_named(tmp_path, data, message):
    with pytest.raises(InputError, match=f"annotations.json: {message}"):
        read(tmp_path, data)


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"annotations.json: no such file"):
        coco.read(tmp_path, 3)
    (tmp_path / coco.ANNOTATIONS).write_text('{"images": [')
    with pytest.raises(InputError, match=r"annotations.json: not valid JSON"):
        coco.read(tmp_path, 3)


def test_real_people(shared, tmp_path):
    data = json.loads((shared / "coco_mini" / "person_keypoints.json").read_text())
    assert len(read(tmp_path, data, min_joints=11)) == 74
