"""Predictions as COCO keypoints are read by pycocotools, and by our own reader with the same joints."""

import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from splitpose.annotations import BOX_COLUMNS
from splitpose.crops.geometry import CropRegion
from splitpose.data.formats import coco
from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError
from splitpose.inference.pose_model import EMPTY_POSE, Prediction
from splitpose.inference.predictions_coco import CATEGORY, CocoPredictions, check_output
from splitpose.skeleton import INDEX, JOINTS

LEFT, RIGHT = [[80.5, 40], [90, 60], [90, 90]], [[20, 40], [10, 60], [10, 90]]
JOINTS_A = np.array([*LEFT, *RIGHT, [70, 99], [30, 99], [60, 10.1236], [40, 10], [50, 20]])
PIXELS = np.zeros((100, 200, 3), np.uint8)


def person(joints=JOINTS_A, confidence=0.75) -> Prediction:
    return Prediction(joints, np.full(len(JOINTS), confidence), CropRegion(50, 50, 100))


def predictions(**changes) -> CocoPredictions:
    """Two people in the first image, one in the third, none in the second."""
    collected = CocoPredictions(**changes)
    collected.add("monday/a.jpg", PIXELS, [("a", person()), ("a@2", person(JOINTS_A + [100, 0], 0.5))])
    collected.add("b.jpg", PIXELS[:, :50], [("b", EMPTY_POSE)])
    collected.add("c.jpg", PIXELS, [("c", person(confidence=np.nan))])
    return collected


def write(folder, collected: CocoPredictions) -> dict:
    collected.write_dataset(folder / "out" / "coco.json")
    return json.loads((folder / "out" / "coco.json").read_text())


def test_a_complete_dataset(tmp_path):
    content = write(tmp_path, predictions())
    assert content["images"] == [
        {"id": 1, "file_name": "monday/a.jpg", "width": 200, "height": 100},
        {"id": 2, "file_name": "b.jpg", "width": 50, "height": 100},
        {"id": 3, "file_name": "c.jpg", "width": 200, "height": 100},
    ]
    assert content["categories"] == [CATEGORY]
    assert CATEGORY["keypoints"][:3] == ["left_shoulder", "left_elbow", "left_wrist"]
    assert [1, 2] in CATEGORY["skeleton"] and [10, 11] in CATEGORY["skeleton"]
    assert [entry["image_id"] for entry in content["annotations"]] == [1, 1, 3]
    assert [entry["score"] for entry in content["annotations"]] == [0.75, 0.5, 1.0]  # 1 without confidence
    first = content["annotations"][0]
    assert first["keypoints"][:6] == [80.5, 40, 2, 90, 60, 2]
    assert first["keypoints"][24:27] == [60, 10.124, 2]
    assert (first["id"], first["num_keypoints"], first["iscrowd"]) == (1, 11, 0)
    # The joints extend from 10 to 90 and from 10 to 99; pixel corners are at integers.
    assert (first["bbox"], first["area"]) == ([10.5, 10.5, 80, 89], 80 * 89)


def test_reading_it_gives_the_same_joints(tmp_path):
    write(tmp_path, predictions())
    annotations = coco.read(tmp_path / "out" / "coco.json", JointNames())
    np.testing.assert_allclose(annotations.joints[0], JOINTS_A, atol=0.0005)
    assert annotations.people[BOX_COLUMNS].iloc[0].tolist() == [10, 10, 90, 99]


def test_joints_outside_the_image_are_not_labelled(tmp_path):
    joints = JOINTS_A.copy()
    joints[INDEX["lwri"]] = 199.6, 50
    joints[INDEX["rwri"]] = -0.5, 50
    joints[INDEX["lhip"]] = 70, 130
    collected = CocoPredictions()
    collected.add("a.jpg", PIXELS, [("a", person(joints))])
    collected.add("b.jpg", PIXELS, [("b", person(joints + 1000))])
    first, second = write(tmp_path, collected)["annotations"]
    assert first["keypoints"][6:9] == first["keypoints"][18:21] == [0, 0, 0]
    assert first["keypoints"][15:18] == [-0.5, 50, 2]
    assert first["num_keypoints"] == 9
    assert (second["num_keypoints"], second["area"]) == (0, 0)


def test_pycocotools_reads_both_files(tmp_path):
    collected = predictions()
    collected.write_dataset(tmp_path / "coco.json")
    collected.write_results(tmp_path / "results.json")
    truth = COCO(str(tmp_path / "coco.json"))
    evaluation = COCOeval(truth, truth.loadRes(str(tmp_path / "results.json")), "keypoints")
    evaluation.params.kpt_oks_sigmas = np.full(len(JOINTS), 0.05)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)  # average precision


def test_results_have_all_joints(tmp_path):
    collected = CocoPredictions()
    collected.add("a.jpg", PIXELS, [("a", person(JOINTS_A + [150, 0]))])
    collected.write_results(tmp_path / "results.json")
    (result,) = json.loads((tmp_path / "results.json").read_text())
    assert sorted(result) == ["area", "bbox", "category_id", "image_id", "keypoints", "score"]
    assert result["keypoints"][:3] == [230.5, 40, 2]


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["val2017/000000000139.jpg", "000000000785.jpg"], [139, 785]),
        (["1.jpg", "01.jpg"], [1, 2]),
        (["7.jpg", "a.jpg"], [1, 2]),
        (["²7.jpg"], [1]),
    ],
)
def test_ids_of_images(tmp_path, names, ids):
    collected = CocoPredictions()
    for name in names:
        collected.add(name, PIXELS, [])
    assert [image["id"] for image in write(tmp_path, collected)["images"]] == ids


def test_the_file_states_whose_left_it_is(tmp_path):
    assert "the person's own" in write(tmp_path, predictions())["info"]["description"]
    assert (
        "swap them for people who are seen from behind"
        in (write(tmp_path, predictions(viewpoint="observer"))["info"]["description"])
    )


def test_a_folder_is_no_output(tmp_path):
    check_output(None, "--coco")
    check_output(tmp_path / "new.json", "--coco")
    with pytest.raises(InputError, match=r"--coco: .*: is a folder; give the path of a file"):
        check_output(tmp_path, "--coco")
