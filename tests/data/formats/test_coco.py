"""What tools write for "not given" in COCO JSONs is treated as missing, and counted."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from splitpose.annotations import BOX_COLUMNS
from splitpose.data.formats import coco
from splitpose.data.image_finder import ImageFinder
from splitpose.data.joint_names import JointNames
from splitpose.data.people import ReadOptions, select_people
from splitpose.errors import InputError
from splitpose.skeleton import INDEX

NAMES = ["nose", "left_shoulder"]
ABSENT = object()
NAN, INFINITE = float("nan"), float("inf")


def person(**changes):
    entry = {"id": 7, "image_id": 1, "category_id": 1, "keypoints": [11, 21, 2, 5, 6, 1], "bbox": [1, 2, 30, 40]}
    return {key: value for key, value in (entry | changes).items() if value is not ABSENT}


def content(*people, **image):
    size = {"id": 1, "file_name": "a.png", "width": 64, "height": 48} | image
    return {
        "images": [{key: value for key, value in size.items() if value is not ABSENT}],
        "categories": [{"id": 1, "name": "person", "keypoints": NAMES}],
        "annotations": list(people) or [person()],
    }


def read(folder, data):
    path = folder / "people.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    annotations = coco.read(path, JointNames())
    # Most files of this module have two keypoints only; tests/data/test_joint_names.py checks this note.
    notes = tuple(note for note in annotations.notes if not note.startswith("not annotated, because no keypoint"))
    return replace(annotations, notes=notes)


def select(folder, data):
    annotations = read(folder, data)
    (folder / "a.png").touch()
    return select_people(annotations, ImageFinder([folder]), folder, ReadOptions(min_joints=1, min_side=0))


def test_a_complete_file_has_no_notes(tmp_path):
    annotations = read(tmp_path, content(person(num_keypoints=2), person(id=8, num_keypoints=1)))
    assert annotations.notes == ()  # some tools count visible keypoints only
    assert annotations.people[BOX_COLUMNS].to_numpy().tolist() == [[0.5, 1.5, 30.5, 41.5]] * 2


# Bounding boxes


@pytest.mark.parametrize(
    "bbox",
    [ABSENT, None, [], [0, 0, 0, 0], [5, 6, 0, 9], [5, 6, 9, 0.0], [-1, -1, -1, -1], [5, 6, -1, 9]]
    + [[None] * 4, [5, 6, None, 9], [NAN] * 4, [INFINITE, INFINITE, -INFINITE, -INFINITE]],
)
def test_a_box_that_is_not_given_is_missing_and_counted(tmp_path, bbox):
    result = select(tmp_path, content(person(), person(id=8, bbox=bbox), person(id=9, bbox=bbox)))
    assert result.table[BOX_COLUMNS].isna().all(axis=1).tolist() == [False, True, True]
    (note,) = result.notes
    assert note.startswith("people.json: people without a bounding box (") and note.endswith("): 2")


def test_another_negative_side_is_kept_for_validation(tmp_path):
    annotations = read(tmp_path, content(person(bbox=[52, 40, -40, -36])))
    assert annotations.people[BOX_COLUMNS].to_numpy().tolist() == [[51.5, 39.5, 11.5, 3.5]]
    assert annotations.notes == ()


@pytest.mark.parametrize("area", [0, None, -1, []])
def test_the_area_is_not_used(tmp_path, area):
    assert read(tmp_path, content(person(area=area, segmentation=[]))).notes == ()


# Keypoints


@pytest.mark.parametrize("keypoints", [ABSENT, None, [], [0] * 6, [11, 21, 0, 5, 6, 0]])
def test_people_without_annotated_keypoints_are_skipped(tmp_path, keypoints):
    result = select(tmp_path, content(person(), person(id=8, keypoints=keypoints)))
    assert (len(result.table), result.skipped) == (1, {"no annotated joints": 1})


@pytest.mark.parametrize(
    "nose",
    [[-1, -1, 2], [-1, -1, -1], [None, None, 2], [None, None, None], [NAN, NAN, 1], [0, 0, None], [None, 5, 2]],
)
def test_a_keypoint_without_coordinates_is_not_annotated_and_counted(tmp_path, nose):
    annotations = read(tmp_path, content(person(keypoints=[*nose, 5, 6, 1]), person(id=8)))
    assert np.isnan(annotations.joints[0, INDEX["nose"]]).all()
    assert annotations.joints[0, INDEX["lsho"]].tolist() == [5, 6]
    assert annotations.joints[1, INDEX["nose"]].tolist() == [11, 21]
    assert annotations.notes == (
        "people with keypoints whose coordinates are null, NaN or -1, which are not annotated: 1",
    )


def test_only_one_coordinate_of_minus_1_is_a_position(tmp_path):
    annotations = read(tmp_path, content(person(keypoints=[-1, 21, 2, 5, 6, 1])))
    assert annotations.joints[0, INDEX["nose"]].tolist() == [-1, 21]


def test_a_null_visibility_with_coordinates_is_an_error(tmp_path):
    with pytest.raises(InputError, match="visibility of keypoint 0 is null; it should be 0, 1 or 2"):
        read(tmp_path, content(person(keypoints=[11, 21, None, 5, 6, 1])))


def test_visibility_0_for_all_coordinates_is_counted_and_named_if_no_one_remains(tmp_path):
    data = content(person(keypoints=[11, 21, 0, 5, 6, 0]))
    note = "people with coordinates, but visibility 0 (not annotated) for all keypoints: 1"
    assert read(tmp_path, data).notes == (note,)
    with pytest.raises(InputError) as raised:
        select(tmp_path, data)
    assert f"none of the 1 annotations can be used (1 no annotated joints) ({note}); lower" in str(raised.value)


@pytest.mark.parametrize(("number", "notes"), [(ABSENT, 0), (None, 0), (2, 0), (1, 0), (0, 1), (17, 1), ("2", 1)])
def test_a_wrong_num_keypoints_is_ignored_and_counted(tmp_path, number, notes):
    annotations = read(tmp_path, content(person(num_keypoints=number)))
    assert np.isfinite(annotations.joints[0, INDEX["nose"]]).all()
    assert len(annotations.notes) == notes


# Flags and ids


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ABSENT, False),
        (None, False),
        (0, False),
        (False, False),
        (0.0, False),
        (1, True),
        (True, True),
        (1.0, True),
    ],
)
def test_iscrowd_has_many_forms(tmp_path, value, expected):
    assert read(tmp_path, content(person(iscrowd=value))).people["is_crowd"].tolist() == [expected]


def test_ids_may_be_integers_text_or_numbers_with_a_zero(tmp_path):
    data = content(person(id=7.0, image_id="1", category_id=1.0), id=1.0)
    assert read(tmp_path, data).people["id"].tolist() == ["7"]
    with pytest.raises(InputError, match=r"annotations\[0\].id: 7.5 should be an integer or text"):
        read(tmp_path, content(person(id=7.5)))


@pytest.mark.parametrize("value", [ABSENT, None])
def test_a_missing_category_is_the_only_one(tmp_path, value):
    annotations = read(tmp_path, content(person(category_id=value)))
    assert len(annotations.people) == 1
    assert annotations.notes == ("people without category_id, who are of the only category: 1",)
    data = content(person(category_id=value))
    data["categories"].append({"id": 2, "name": "dog"})
    with pytest.raises(InputError, match=r"category_id: the key is missing, and there are 2 categories"):
        read(tmp_path, data)


# Names of keypoints


@pytest.mark.parametrize(
    "categories",
    [
        ABSENT,
        None,
        [],
        [{"id": 1, "name": "person"}],
        [{"id": 1, "name": "person", "keypoints": []}],
        [{"id": 1, "keypoints": None}, {"id": 2, "name": "hand"}],
    ],
)
def test_17_keypoints_without_names_have_the_order_of_coco(tmp_path, categories):
    keypoints = [number for index in range(17) for number in (index, 10 * index, 2)]
    data = content(person(keypoints=keypoints), person(id=8, keypoints=[])) | {"categories": categories}
    annotations = read(tmp_path, {key: value for key, value in data.items() if value is not ABSENT})
    # In COCO's order, the left shoulder is 5, the right wrist 10, the right hip 12 and the right eye 2.
    for joint, index in {"nose": 0, "reye": 2, "lsho": 5, "rwri": 10, "rhip": 12}.items():
        assert annotations.joints[0, INDEX[joint]].tolist() == [index, 10 * index]
    assert len(annotations.people) == 2
    assert annotations.notes[0].startswith("no category names its keypoints; people with 17 are read in the order")


def test_other_keypoints_without_names_are_an_error(tmp_path):
    data = content() | {"categories": [{"id": 1, "name": "person"}]}
    with pytest.raises(InputError, match=r"no keypoint has the name of one of the 11 joints .*; found none"):
        read(tmp_path, data)


def test_a_category_without_names_is_not_used_beside_one_with_names(tmp_path):
    data = content(person(), person(id=8, category_id=2, keypoints=[1, 1, 2] * 17))
    data["categories"].append({"id": 2, "name": "dog"})
    annotations = read(tmp_path, data)
    assert annotations.people["id"].tolist() == ["7"]
    assert annotations.skipped == {"category without any of the 11 joints": 1}


# Sizes of images


@pytest.mark.parametrize("value", [ABSENT, None, 0, 0.0, -1, NAN])
def test_a_missing_size_is_read_from_the_image(tmp_path, value):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((30, 50, 3), np.uint8))
    for size in ({"width": value, "height": value}, {"width": 50, "height": value}):
        result = select(tmp_path, content(**size))
        assert result.table[["width", "height"]].to_numpy().tolist() == [[50, 30]]
        assert result.notes == ("people.json: images without width or height, which are read from the files: 1",)


def test_a_missing_size_of_an_unreadable_image_does_not_stop_the_others(tmp_path):
    assert select(tmp_path, content(width=0)).table["width"].tolist() == [1]


def test_a_device_is_not_read_for_its_size(tmp_path):
    assert select(tmp_path, content(width=0, file_name="/dev/zero")).table["width"].tolist() == [1]


def test_a_size_may_be_a_number_with_a_zero(tmp_path):
    assert select(tmp_path, content(width=64.0)).table["width"].tolist() == [64]


# Text that is no JSON in the strict sense


def test_nan_and_infinity_in_texts_are_kept(tmp_path):
    data = content(person(bbox=[NAN, 1, 2, INFINITE]), file_name='NaN "-Infinity", NaN.png')
    annotations = read(tmp_path, data)
    assert annotations.annotated_file_names() == ['NaN "-Infinity", NaN.png']
    assert annotations.people[BOX_COLUMNS].isna().all(axis=None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_of_windows_tools_are_read(tmp_path, encoding):
    path = tmp_path / "people.json"
    path.write_text(json.dumps(content(file_name="é.png"), ensure_ascii=False), encoding)
    assert coco.read(path, JointNames()).annotated_file_names() == ["é.png"]


# Several invalid entries


def test_invalid_entries_are_counted_and_the_first_ones_named(tmp_path):
    people = [person(id=number, keypoints=[1, 1, number % 10, 5, 6, 1]) for number in range(50)]
    with pytest.raises(InputError) as raised:
        read(tmp_path, content(*people))
    # Visibilities 3 to 9 are invalid, in each of five tens.
    assert str(raised.value) == (
        f"{tmp_path}/people.json: 35 of the 50 annotations are invalid: "
        "annotations[3].keypoints: visibility of keypoint 0 is 3; it should be 0, 1 or 2, "
        "annotations[4].keypoints: visibility of keypoint 0 is 4; it should be 0, 1 or 2, "
        "annotations[5].keypoints: visibility of keypoint 0 is 5; it should be 0, 1 or 2 and 32 more"
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id": None}, "id: should be a number or text, not null"),
        ({"image_id": 9}, "image_id: '9' is not the id of any image"),
        ({"category_id": 9}, "category_id: '9' is not the id of any category"),
        ({"bbox": [1, 2, 3]}, "bbox: has 3 numbers; it should be x, y, width and height"),
        ({"keypoints": [1, 2, 2]}, "keypoints: there are 1, but the category has 2 keypoints"),
    ],
)
def test_entries_of_every_kind_of_problem_are_counted(tmp_path, changes, text):
    wrong = [person(id=number) | changes for number in (8, 9)]
    with pytest.raises(InputError) as raised:
        read(tmp_path, content(person(), *wrong))
    assert str(raised.value).endswith(
        f": 2 of the 3 annotations are invalid: annotations[1].{text}, annotations[2].{text}"
    )


def test_invalid_images_are_counted(tmp_path):
    data = content()
    data["images"] += [{"id": number, "file_name": f"{number}.png", "width": "64"} for number in (2, 3)]
    with pytest.raises(
        InputError, match=r"2 of the 3 images are invalid: images\[1\].width: should be a number, not"
    ):
        read(tmp_path, data)


# Progress


def test_progress_of_a_large_file_is_displayed(tmp_path, monkeypatch, capsys):
    from splitpose.data.formats import coco_json, json_file

    monkeypatch.setattr(coco_json, "LARGE", 1)
    monkeypatch.setattr(json_file, "LARGE", 1)
    assert len(read(tmp_path, content()).people) == 1
    printed = capsys.readouterr().out
    assert "reading people.json" in printed and "checking people.json" in printed
