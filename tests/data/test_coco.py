import json

import cv2
import numpy as np
import pytest

from splitpose import images
from splitpose.annotations import BOX_COLUMNS, joints_of
from splitpose.data import coco
from splitpose.data.coco_json import places
from splitpose.errors import InputError
from splitpose.settings import CocoSource
from splitpose.skeleton import FULL_NAMES, INDEX, JOINTS
from splitpose.validation import inspect

NAMES = ["nose", "left_shoulder", "Right Shoulder", "left_ankle", "left_hip"]
LIMITS = {"min_joints": 3, "min_side": 0.0, "group": "picture"}


def person(**changes):
    keypoints = [11, 21, 2, 5, 6.25, 1, 7, 8, 2, 1, 1, 2, 0, 0, 0]
    return {"id": 7, "image_id": 1, "category_id": 1, "keypoints": keypoints, "bbox": [1, 2, 30, 40]} | changes


def content(*people):
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}],
        "categories": [{"id": 1, "name": "person", "keypoints": NAMES}],
        "annotations": list(people) or [person()],
    }


def read(tmp_path, data, **changes):
    path = tmp_path / "incoming" / "monday" / "people.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return coco.read(path, [path.parent, path.parent / "images"], tmp_path, **LIMITS | changes)


def test_a_person_by_hand(tmp_path):
    reading = read(tmp_path, content(), split="test")
    joints = joints_of(reading.table)[0]
    # Keypoints are pixel indices and stay; a box from pixel corners at integers loses half a pixel.
    np.testing.assert_array_equal(joints[INDEX["nose"]], [11, 21])
    np.testing.assert_array_equal(joints[INDEX["lsho"]], [5, 6.25])
    np.testing.assert_array_equal(joints[INDEX["rsho"]], [7, 8])
    assert np.isnan(joints[INDEX["lhip"]]).all()
    assert np.isfinite(joints).all(axis=1).sum() == 3
    row = reading.table.iloc[0]
    assert row[BOX_COLUMNS].tolist() == [0.5, 1.5, 30.5, 41.5]
    assert (row["width"], row["height"], row["split"], row["group"]) == (64, 48, "test", "a.png")
    assert (row["id"], row["image"]) == ("incoming/monday/people-7", "incoming/monday/a.png")


def test_a_person_without_a_box_has_none(tmp_path):
    lone = person()
    del lone["bbox"]
    for someone in (lone, person(bbox=None)):
        assert read(tmp_path, content(someone)).table[BOX_COLUMNS].isna().all(axis=None)


def test_a_joint_of_visibility_0_is_not_annotated_wherever_it_lies(tmp_path):
    keypoints = [11, 21, 0, 5, 6, 2, 7, 8, 2, 1, 1, 2, float("nan"), -1, 0]
    joints = joints_of(read(tmp_path, content(person(keypoints=keypoints)), min_joints=2).table)[0]
    assert [joint for joint in JOINTS if np.isfinite(joints[INDEX[joint]]).all()] == ["lsho", "rsho"]


def test_the_first_folder_that_has_the_picture_counts(tmp_path):
    (tmp_path / "incoming" / "monday" / "images").mkdir(parents=True)
    (tmp_path / "incoming" / "monday" / "images" / "a.png").touch()
    assert read(tmp_path, content()).table["image"].tolist() == ["incoming/monday/images/a.png"]
    (tmp_path / "incoming" / "monday" / "a.png").touch()
    assert read(tmp_path, content()).table["image"].tolist() == ["incoming/monday/a.png"]


# Names


@pytest.mark.parametrize(
    "name",
    ["Left Shoulder", "left_shoulder", "LEFT-SHOULDER", "leftShoulder", "l_shoulder", "L.Shoulder", "LShoulder"]
    + ["lsho", "left_sho", "shoulder_left", "ShoulderLeft", "Shoulder L"],
)
def test_a_joint_is_known_in_many_spellings(name):
    assert places(["tail", name]) == {"lsho": 1}


@pytest.mark.parametrize(
    "name", ["shoulder", "left", "left_ear", "left_knee", "eye_left_2", "left_eye_inner", "neck", "", "lefthip_r"]
)
def test_other_names_are_no_joint(name):
    assert places([name]) == {}


def test_every_joint_is_known_by_its_names():
    for names in (JOINTS, FULL_NAMES.values()):
        assert places(list(names)) == INDEX


# Who is left out


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iscrowd": 1}, "crowd"),
        ({"iscrowd": True}, "crowd"),
        ({"category_id": 2}, "other category"),
        ({"keypoints": [1, 1, 2, *[0] * 12]}, "fewer than 3 joints"),
        ({"keypoints": []}, "fewer than 3 joints"),
        ({"keypoints": None}, "fewer than 3 joints"),
        ({"bbox": [0, 0, 15, 15.9]}, "tiny"),
        ({"bbox": None}, "tiny"),  # its joints lie in 6 x 14.75 px
    ],
)
def test_who_is_left_out_is_counted(tmp_path, changes, reason):
    data = content(person(), person(id=8, **changes), person(id=9, **changes))
    data["categories"].append({"id": 2, "name": "car"})
    reading = read(tmp_path, data, min_side=16)
    assert reading.table["id"].tolist() == ["incoming/monday/people-7"]
    assert reading.left_out == {reason: 2}


def test_a_box_that_is_none_does_not_make_tiny(tmp_path):
    for box in ([1, 2, 0, 40], [41, 42, -40, -40]):
        reading = read(tmp_path, content(person(bbox=box)), min_side=14)
        assert (len(reading.table), reading.left_out) == (1, {})


def test_nobody_left_says_why_and_what_to_lower(tmp_path):
    data = content(person(iscrowd=1), person(id=8, bbox=[0, 0, 9, 9]), person(id=9, bbox=[0, 0, 9, 9]))
    with pytest.raises(InputError) as raised:
        read(tmp_path, data, min_side=16)
    assert str(raised.value) == (
        f"{tmp_path}/incoming/monday/people.json: nobody is left of 3 people: 1 crowd, 2 tiny; "
        "lower min_joints (now 3) or min_side (now 16 px), or give another file"
    )


def test_each_category_with_joints_counts_in_its_own_order(tmp_path):
    data = content(person(), person(id=8, category_id="dancer", keypoints=[1, 2, 2, 3, 4, 2]))
    data["categories"].append({"id": "dancer", "keypoints": ["rwri", "Nose"]})
    joints = joints_of(read(tmp_path, data, min_joints=2).table)
    np.testing.assert_array_equal(joints[0, INDEX["nose"]], [11, 21])
    np.testing.assert_array_equal(joints[1, INDEX["nose"]], [3, 4])
    np.testing.assert_array_equal(joints[1, INDEX["rwri"]], [1, 2])


# Groups


@pytest.mark.parametrize(
    ("group", "expected"),
    [("picture", "monday/a.png"), ("folder", "monday"), ("session", "5"), ("take", "x"), ("width", "64")],
)
def test_a_group_is_a_picture_a_folder_or_a_key(tmp_path, group, expected):
    data = content()
    data["images"][0] |= {"file_name": "./monday/a.png", "session": 5, "take": "x"}
    assert read(tmp_path, data, group=group).table["group"].tolist() == [expected]


@pytest.mark.parametrize("value", [{}, {"session": None}, {"session": ""}, {"session": True}, {"session": [1]}])
def test_a_picture_without_a_group_is_named(tmp_path, value):
    data = content()
    data["images"].append({"id": 2, "file_name": "b.png", "width": 1, "height": 1} | value)
    data["images"][0]["session"] = 1
    with pytest.raises(
        InputError, match=r"people.json: images\[1\].session: no text or whole number; source.group"
    ):
        read(tmp_path, data, group="session")


# From the user's files to data/raw and back


def source(folder, **images):
    """A JSON `folder`/a.json with a person in each of the named pictures, which have these bytes."""
    data = content(*[person(id=k, image_id=k) for k in range(len(images))])
    data["images"] = [
        {"id": k, "file_name": f"sub/{name}.png", "width": 64, "height": 48} for k, name in enumerate(images)
    ]
    (folder / "pictures" / "sub").mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(data))
    for name, picture in images.items():
        (folder / "pictures" / "sub" / f"{name}.png").write_bytes(picture)
    return folder / "a.json", folder / "pictures"


def test_several_sources_are_copied_and_read_back(tmp_path):
    first, second = source(tmp_path / "1", x=b"1x", y=b"1y"), source(tmp_path / "2", x=b"2x")
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    sets = [("train", *first), ("test", *second)]
    coco.copy(sets, raw)
    reading = coco.read_all(sets, raw, **LIMITS)
    assert reading.table["split"].tolist() == ["train", "train", "test"]
    assert reading.table["id"].tolist() == [
        "raw/0-a/annotations-0",
        "raw/0-a/annotations-1",
        "raw/1-a/annotations-0",
    ]
    assert [(tmp_path / "data" / image).read_bytes() for image in reading.table["image"]] == [b"1x", b"1y", b"2x"]
    # A picture of the same name may be the same one, so it is one group.
    assert reading.table["group"].tolist() == ["sub/x.png", "sub/y.png", "sub/x.png"]


def test_pictures_without_people_are_not_copied(tmp_path):
    path, folder = source(tmp_path / "1", x=b"x", y=b"y")
    data = json.loads(path.read_text())
    del data["annotations"][0]
    path.write_text(json.dumps(data))
    coco.copy([("train", path, folder)], tmp_path)
    assert [picture.name for picture in (tmp_path / "0-a" / "images").rglob("*.png")] == ["y.png"]


def test_people_left_out_are_counted_over_all_files(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    sets = []
    for k in range(2):
        path, folder = source(tmp_path / str(k), x=b"x")
        path.write_text(json.dumps(content(person(), person(id=8, iscrowd=1), person(id=9, keypoints=[]))))
        sets.append(("train", path, folder))
    coco.copy(sets, raw)
    assert coco.read_all(sets, raw, **LIMITS).left_out == {"crowd": 2, "fewer than 3 joints": 2}


def test_a_byte_order_mark_is_no_matter(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(content()).encode())
    assert len(coco.read(tmp_path / "a.json", [tmp_path], tmp_path, **LIMITS).table) == 1


def test_every_kind_of_picture_is_read_as_annotated(tmp_path):
    grey = np.linspace(0, 255, 64 * 48).astype(np.uint8).reshape(48, 64)
    png = cv2.imencode(".png", grey)[1].tobytes()
    rgba = cv2.imencode(".png", cv2.cvtColor(grey[::-1], cv2.COLOR_GRAY2BGRA))[1].tobytes()
    odd = cv2.imencode(".webp", cv2.cvtColor(grey[:, ::-1], cv2.COLOR_GRAY2BGR))[1].tobytes()
    stored = cv2.imencode(".jpg", cv2.cvtColor(grey.T, cv2.COLOR_GRAY2BGR))[1].tobytes()  # 48 x 64, on its side
    path, folder = source(tmp_path, grey=png, rgba=rgba, odd=odd, turned=turned(stored))
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    coco.copy([("train", path, folder)], raw)
    table = coco.read_all([("train", path, folder)], raw, **LIMITS).table
    verdict = inspect(table, tmp_path / "data", None)
    assert verdict.quarantine.empty and len(verdict.table) == 4
    for image in table["image"]:
        assert images.read(tmp_path / "data" / image, (64, 48)).shape == (48, 64, 3)


def turned(jpeg):
    """The JPEG with an EXIF tag (APP1, one directory of one entry) that has viewers turn it by a quarter."""
    tiff = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0" + b"\x06\0\0\0" + b"\0" * 4
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


# Real people


def test_real_people(shared, tmp_path):
    settings = CocoSource(
        kind="coco",
        annotations=str(shared / "coco_mini" / "person_keypoints.json"),
        images=str(shared / "coco_mini" / "images"),
        min_joints=11,
        min_side=0,
        group="picture",
        test_fraction=0.2,
    )
    raw = tmp_path / "raw"
    raw.mkdir()
    coco.copy(settings.sets, raw)
    everyone = coco.read_all(settings.sets, raw, min_joints=1, min_side=0, group="picture")
    assert len(everyone.table) + sum(everyone.left_out.values()) == 348
    whole = coco.read_all(settings.sets, raw, min_joints=11, min_side=0, group="picture")
    assert (len(whole.table), whole.left_out) == (74, {"fewer than 11 joints": 274})
    assert np.isfinite(joints_of(whole.table)).all()
    verdict = inspect(whole.table, tmp_path, None)
    assert verdict.summary["quarantined"]["picture"] == verdict.summary["quarantined"]["size"] == 0
