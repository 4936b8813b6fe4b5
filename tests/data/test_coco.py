import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from splitpose import images
from splitpose.annotations import BOX_COLUMNS, joints_of
from splitpose.data import coco
from splitpose.data.joint_names import JointNames
from splitpose.data.people import ReadOptions
from splitpose.errors import InputError
from splitpose.settings import CocoSource
from splitpose.skeleton import FULL_NAMES, INDEX, JOINTS
from splitpose.validation import validate

NAMES = ["nose", "left_shoulder", "Right Shoulder", "left_ankle", "left_hip"]
OPTIONS = ReadOptions(min_joints=3, min_side=0.0)


def annotation(**changes):
    keypoints = [11, 21, 2, 5, 6.25, 1, 7, 8, 2, 1, 1, 2, 0, 0, 0]
    return {"id": 7, "image_id": 1, "category_id": 1, "keypoints": keypoints, "bbox": [1, 2, 30, 40]} | changes


def content(*annotations):
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}],
        "categories": [{"id": 1, "name": "person", "keypoints": NAMES}],
        "annotations": list(annotations) or [annotation()],
    }


def read(tmp_path, data, **changes):
    path = tmp_path / "incoming" / "monday" / "people.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return coco.read(path, [path.parent, path.parent / "images"], tmp_path, replace(OPTIONS, **changes))


def missing_notes(result):
    return [note for note in result.notes if "images not found" in note]


def test_an_annotation_becomes_a_row(tmp_path):
    result = read(tmp_path, content(), split="test")
    joints = joints_of(result.table)[0]
    # Keypoints are pixel indices and kept; a box with pixel corners at integers is shifted by half a pixel.
    np.testing.assert_array_equal(joints[INDEX["nose"]], [11, 21])
    np.testing.assert_array_equal(joints[INDEX["lsho"]], [5, 6.25])
    np.testing.assert_array_equal(joints[INDEX["rsho"]], [7, 8])
    assert np.isnan(joints[INDEX["lhip"]]).all()
    assert np.isfinite(joints).all(axis=1).sum() == 3
    row = result.table.iloc[0]
    assert row[BOX_COLUMNS].tolist() == [0.5, 1.5, 30.5, 41.5]
    assert (row["width"], row["height"], row["split"], row["group"]) == (64, 48, "test", "a.png")
    assert (row["id"], row["image"]) == ("incoming/monday/people-7", "incoming/monday/a.png")


def test_a_missing_box_is_empty(tmp_path):
    without = annotation()
    del without["bbox"]
    for entry in (without, annotation(bbox=None)):
        assert read(tmp_path, content(entry)).table[BOX_COLUMNS].isna().all(axis=None)


def test_a_joint_of_visibility_0_is_not_annotated(tmp_path):
    keypoints = [11, 21, 0, 5, 6, 2, 7, 8, 2, 1, 1, 2, float("nan"), -1, 0]
    joints = joints_of(read(tmp_path, content(annotation(keypoints=keypoints)), min_joints=2).table)[0]
    assert [joint for joint in JOINTS if np.isfinite(joints[INDEX[joint]]).all()] == ["lsho", "rsho"]


def test_the_first_folder_with_the_image_is_used(tmp_path):
    (tmp_path / "incoming" / "monday" / "images").mkdir(parents=True)
    (tmp_path / "incoming" / "monday" / "images" / "a.png").touch()
    assert read(tmp_path, content()).table["image"].tolist() == ["incoming/monday/images/a.png"]
    (tmp_path / "incoming" / "monday" / "a.png").touch()
    assert read(tmp_path, content()).table["image"].tolist() == ["incoming/monday/a.png"]


def test_missing_images_are_noted_once_with_their_number(tmp_path):
    data = content(annotation(), annotation(id=8, image_id=2), annotation(id=9, image_id=2))
    data["images"] += [{"id": k, "file_name": f"{k}.png", "width": 64, "height": 48} for k in (2, 3)]
    folder = tmp_path / "incoming" / "monday"
    assert missing_notes(read(tmp_path, data)) == [
        f"incoming/monday/people.json: 2 of 2 images not found; for the first one, 'a.png', tried {folder}/a.png, "
        f"{folder}/images/a.png, and files of this name below {folder}",
    ]
    for name in ("a", "2"):
        (folder / f"{name}.png").touch()
    assert missing_notes(read(tmp_path, data)) == []  # the third one has no person


# Names


@pytest.mark.parametrize(
    "name",
    ["Left Shoulder", "left_shoulder", "LEFT-SHOULDER", "leftShoulder", "l_shoulder", "L.Shoulder", "LShoulder"]
    + ["lsho", "left_sho", "shoulder_left", "ShoulderLeft", "Shoulder L"],
)
def test_joint_names_have_many_spellings(name):
    assert JointNames().indices(["tail", name]) == {"lsho": 1}


@pytest.mark.parametrize(
    "name", ["shoulder", "left", "left_ear", "left_knee", "eye_left_2", "left_eye_inner", "neck", "", "lefthip_r"]
)
def test_other_names_are_not_joints(name):
    assert JointNames().indices([name]) == {}


def test_every_joint_is_recognised():
    for names in (JOINTS, FULL_NAMES.values()):
        assert JointNames().indices(list(names)) == INDEX


# Skipped annotations


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iscrowd": 1}, "crowd"),
        ({"iscrowd": True}, "crowd"),
        ({"category_id": 2}, "category without any of the 11 joints"),
        ({"keypoints": [1, 1, 2, *[0] * 12]}, "fewer than 3 annotated joints"),
        ({"keypoints": []}, "fewer than 3 annotated joints"),
        ({"keypoints": None}, "fewer than 3 annotated joints"),
        ({"bbox": [0, 0, 15, 15.9]}, "smaller than 16 px"),
        ({"bbox": None}, "smaller than 16 px"),  # its joints span 6 x 14.75 px
    ],
)
def test_skipped_annotations_are_counted_by_reason(tmp_path, changes, reason):
    data = content(annotation(), annotation(id=8, **changes), annotation(id=9, **changes))
    data["categories"].append({"id": 2, "name": "car"})
    result = read(tmp_path, data, min_side=16)
    assert result.table["id"].tolist() == ["incoming/monday/people-7"]
    assert result.skipped == {reason: 2}


def test_a_box_without_area_is_not_too_small(tmp_path):
    for box in ([1, 2, 0, 40], [41, 42, -40, -40]):
        result = read(tmp_path, content(annotation(bbox=box)), min_side=14)
        assert (len(result.table), result.skipped) == (1, {})


def test_without_usable_annotations_the_error_names_reasons_and_limits(tmp_path):
    data = content(annotation(iscrowd=1), annotation(id=8, bbox=[0, 0, 9, 9]), annotation(id=9, bbox=[0, 0, 9, 9]))
    with pytest.raises(InputError) as raised:
        read(tmp_path, data, min_side=16)
    path = f"{tmp_path}/incoming/monday/people.json"
    reasons = "(1 crowd, 2 smaller than 16 px) (not annotated, because no keypoint has their name: left_elbow, "
    assert str(raised.value).startswith(f"{path}: none of the 3 annotations can be used {reasons}")
    assert str(raised.value).endswith("lower min_joints (now 3) or min_side (now 16 px), or choose another file")


def test_each_category_has_its_own_order_of_keypoints(tmp_path):
    data = content(annotation(), annotation(id=8, category_id="dancer", keypoints=[1, 2, 2, 3, 4, 2]))
    data["categories"].append({"id": "dancer", "keypoints": ["rwri", "Nose"]})
    joints = joints_of(read(tmp_path, data, min_joints=2).table)
    np.testing.assert_array_equal(joints[0, INDEX["nose"]], [11, 21])
    np.testing.assert_array_equal(joints[1, INDEX["nose"]], [3, 4])
    np.testing.assert_array_equal(joints[1, INDEX["rwri"]], [1, 2])


# Groups


@pytest.mark.parametrize(
    ("group", "expected"),
    [("image", "monday/a.png"), ("folder", "monday"), ("session", "5"), ("take", "x"), ("width", "64")],
)
def test_a_group_is_an_image_a_folder_or_a_key(tmp_path, group, expected):
    data = content()
    data["images"][0] |= {"file_name": "./monday/a.png", "session": 5, "take": "x"}
    assert read(tmp_path, data, group=group).table["group"].tolist() == [expected]


@pytest.mark.parametrize("value", [{}, {"session": None}, {"session": ""}, {"session": True}, {"session": [1]}])
def test_an_image_without_a_group_is_named(tmp_path, value):
    data = content()
    data["images"].append({"id": 2, "file_name": "b.png", "width": 1, "height": 1} | value)
    data["images"][0]["session"] = 1
    with pytest.raises(InputError, match=r"people.json: images\[1\].session: not text or an integer; source.group"):
        read(tmp_path, data, group="session")


# Copying to data/raw and reading from there


def source(folder, **images):
    """Write `folder`/a.json with an annotation in each of the named images, which have these bytes."""
    data = content(*[annotation(id=k, image_id=k) for k in range(len(images))])
    data["images"] = [
        {"id": k, "file_name": f"sub/{name}.png", "width": 64, "height": 48} for k, name in enumerate(images)
    ]
    (folder / "photographs" / "sub").mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(data))
    for name, data in images.items():
        (folder / "photographs" / "sub" / f"{name}.png").write_bytes(data)
    return folder / "a.json", folder / "photographs"


def test_several_sets_are_copied_and_read(tmp_path):
    first, second = source(tmp_path / "1", x=b"1x", y=b"1y"), source(tmp_path / "2", x=b"2x")
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    sets = [("train", *first), ("test", *second)]
    coco.copy(sets, raw)
    result = coco.read_all(sets, raw, OPTIONS)
    assert result.table["split"].tolist() == ["train", "train", "test"]
    assert result.table["id"].tolist() == [
        "raw/0-a/annotations-0",
        "raw/0-a/annotations-1",
        "raw/1-a/annotations-0",
    ]
    assert [(tmp_path / "data" / image).read_bytes() for image in result.table["image"]] == [b"1x", b"1y", b"2x"]
    # Images of the same name may be the same image, so they are one group.
    assert result.table["group"].tolist() == ["sub/x.png", "sub/y.png", "sub/x.png"]


def test_images_are_copied_to_where_they_are_read(tmp_path):
    path, folder = source(tmp_path / "1", **{"a": b"a", "0a1b2c3d-b": b"b", "c d": b"c", "E": b"e"})
    for name in "xy":  # an ambiguous name, one of whose files is copied
        (folder / name).mkdir()
        (folder / name / "f.png").write_text(name)
    data = json.loads(path.read_text())
    names = ["sub\\a.png", "/data/upload/1/0a1b2c3d-b.png", "c%20d.png", "../e.PNG", "x/f.png", "f.png", "gone.png"]
    data["images"] = [{"id": k, "file_name": name, "width": 64, "height": 48} for k, name in enumerate(names)]
    data["annotations"] = [annotation(id=k, image_id=k) for k in range(len(names))]
    path.write_text(json.dumps(data))
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    sets = [("train", path, folder)]
    (note,) = coco.copy(sets, raw)
    assert note.startswith(f"{path}: 2 of 7 images not found; 'f.png' may be {folder}/x/f.png or {folder}/y/f.png")
    result = coco.read_all(sets, raw, OPTIONS)
    copies = [tmp_path / "data" / image for image in result.table["image"]]
    assert [copy.read_bytes() for copy in copies[:5]] == [b"a", b"b", b"c", b"e", b"x"]
    assert not any(copy.exists() for copy in copies[5:])
    (note,) = missing_notes(result)
    assert note.startswith("raw/0-a/annotations.json: 2 of 7 images not found; for the first one, 'f.png', ")


def test_images_without_annotations_are_not_copied(tmp_path):
    path, folder = source(tmp_path / "1", x=b"x", y=b"y")
    data = json.loads(path.read_text())
    del data["annotations"][0]
    path.write_text(json.dumps(data))
    coco.copy([("train", path, folder)], tmp_path)
    assert [path.name for path in (tmp_path / "0-a" / "images").rglob("*.png")] == ["y.png"]


def test_skipped_annotations_are_added_up_over_all_files(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    sets = []
    for k in range(2):
        path, folder = source(tmp_path / str(k), x=b"x")
        path.write_text(
            json.dumps(content(annotation(), annotation(id=8, iscrowd=1), annotation(id=9, keypoints=[])))
        )
        sets.append(("train", path, folder))
    coco.copy(sets, raw)
    assert coco.read_all(sets, raw, OPTIONS).skipped == {"crowd": 2, "fewer than 3 annotated joints": 2}


def test_a_byte_order_mark_is_ignored(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(content()).encode())
    assert len(coco.read(tmp_path / "a.json", [tmp_path], tmp_path, OPTIONS).table) == 1


def test_every_image_format_is_read(tmp_path):
    grey = np.linspace(0, 255, 64 * 48).astype(np.uint8).reshape(48, 64)
    png = cv2.imencode(".png", grey)[1].tobytes()
    rgba = cv2.imencode(".png", cv2.cvtColor(grey[::-1], cv2.COLOR_GRAY2BGRA))[1].tobytes()
    webp = cv2.imencode(".webp", cv2.cvtColor(grey[:, ::-1], cv2.COLOR_GRAY2BGR))[1].tobytes()
    stored = cv2.imencode(".jpg", cv2.cvtColor(grey.T, cv2.COLOR_GRAY2BGR))[1].tobytes()  # 48 x 64, rotated
    path, folder = source(tmp_path, grey=png, rgba=rgba, webp=webp, rotated=rotate_by_exif(stored))
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    coco.copy([("train", path, folder)], raw)
    table = coco.read_all([("train", path, folder)], raw, OPTIONS).table
    result = validate(table, tmp_path / "data")
    assert result.quarantine.empty and len(result.table) == 4
    for image in table["image"]:
        assert images.read(tmp_path / "data" / image, (64, 48)).shape == (48, 64, 3)


def rotate_by_exif(jpeg):
    """Add an EXIF orientation of 90 degrees (APP1, one directory with one entry) to a JPEG."""
    tiff = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0" + b"\x06\0\0\0" + b"\0" * 4
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


# Real photographs


def test_real_photographs(shared, tmp_path):
    settings = CocoSource(
        kind="coco",
        annotations=str(shared / "coco_mini" / "person_keypoints.json"),
        images=str(shared / "coco_mini" / "images"),
        min_joints=11,
        min_side=0,
        group="image",
        test_fraction=0.2,
    )
    raw = tmp_path / "raw"
    raw.mkdir()
    coco.copy(settings.sets, raw)
    annotated = coco.read_all(settings.sets, raw, ReadOptions(min_joints=1, min_side=0))
    assert len(annotated.table) + sum(annotated.skipped.values()) == 348
    complete = coco.read_all(settings.sets, raw, ReadOptions(min_joints=11, min_side=0))
    assert (len(complete.table), complete.skipped) == (74, {"fewer than 11 annotated joints": 274})
    assert np.isfinite(joints_of(complete.table)).all()
    result = validate(complete.table, tmp_path)
    assert result.summary["quarantined"]["unreadable_image"] == 0
    assert result.summary["quarantined"]["image_size"] == 0
