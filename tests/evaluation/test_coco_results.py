import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError
from splitpose.evaluation.coco_results import COCO_KEYPOINTS, is_complete, is_results, keypoint_names, read_results
from splitpose.evaluation.pose_set import ImageKey
from splitpose.skeleton import INDEX, JOINTS

PATH = Path("results.json")


def entry(image_id: Any = 7, keypoints: int = 17, **more: Any) -> dict[str, Any]:
    """Return a result whose keypoint n is at (n + 1, 0)."""
    values = [value for n in range(keypoints) for value in (n + 1, 0, 1)]
    return {"image_id": image_id, "category_id": 1, "keypoints": values, "score": 0.5} | more


def complete(*annotations: dict[str, Any]) -> dict[str, Any]:
    return {
        "images": [{"id": 7, "file_name": "a/x.jpg"}, {"id": 8, "file_name": "a/y.jpg"}],
        "categories": [{"id": 1, "name": "person", "keypoints": ["nose", "left_wrist"]}],
        "annotations": list(annotations),
    }


def test_kinds_of_json() -> None:
    assert is_results([entry()])
    assert is_results([])
    assert not is_results([{"id": 1, "annotations": []}])  # Label Studio
    assert not is_results({"images": []})
    assert is_complete(complete())
    assert not is_complete({"shapes": []})
    assert keypoint_names(complete()) == {"1": ["nose", "left_wrist"]}


def test_17_keypoints_are_those_of_coco_and_11_those_of_the_skeleton() -> None:
    for count, names in ((17, COCO_KEYPOINTS), (11, JOINTS)):
        poses = read_results(PATH, [entry(keypoints=count)], {})
        wrist = "left_wrist" if count == 17 else "lwri"
        assert poses.joints[0, INDEX["lwri"]].tolist() == [names.index(wrist) + 1, 0]
        assert poses.columns.all()
    assert (poses.format, poses.ids, poses.scores.tolist(), poses.scores_from) == (
        "COCO results",
        None,
        [0.5],
        "score",
    )


def test_keypoints_of_the_annotations_category() -> None:
    poses = read_results(PATH, [entry(keypoints=2)], {"1": ["left_elbow", "tail"], "2": []})
    assert np.flatnonzero(poses.columns).tolist() == [INDEX["lelb"]]
    # A single category is meant whatever its number.
    assert read_results(PATH, [entry(keypoints=2)], {"5": ["left_elbow", "tail"]}).columns[INDEX["lelb"]]


def test_categories_that_name_no_keypoints_have_those_of_coco() -> None:
    assert read_results(PATH, [entry()], {"1": []}).columns.all()


def test_joint_map() -> None:
    poses = read_results(PATH, [entry(keypoints=2)], {"1": ["6", "7"]}, JointNames({"lelb": "7"}))
    assert poses.joints[0, INDEX["lelb"]].tolist() == [2, 0]


def test_missing_keypoints_and_scores() -> None:
    values = [0, 0, 0, *(5, 6, 0), *[1, 1, 1] * 15]
    poses = read_results(PATH, [entry(keypoints=17) | {"keypoints": values, "score": None}], {})
    assert np.isnan(poses.joints[0, INDEX["nose"]]).all()
    assert poses.joints[0, INDEX["leye"]].tolist() == [5, 6]  # the third value is a confidence
    assert (np.isnan(poses.scores).all(), poses.scores_from) == (True, "none")


def test_images() -> None:
    poses = read_results(PATH, [entry(), entry("x.jpg"), entry(file_name="b.jpg"), entry()], {})
    assert poses.images == [ImageKey("7", ""), ImageKey("x.jpg", ""), ImageKey("7", "b.jpg")]
    assert poses.image_rows.tolist() == [0, 1, 2, 0]


def test_complete_dataset_with_scores() -> None:
    poses = read_results(
        PATH, complete(entry(8, 0) | {"id": 3, "keypoints": [1, 2, 2, 3, 4, 0]}), {"1": ["left_elbow"]}
    )
    assert (poses.format, poses.images) == ("COCO keypoints", [ImageKey("8", "a/y.jpg")])
    assert poses.joints[0, INDEX["nose"]].tolist() == [1, 2]
    assert np.isnan(poses.joints[0, INDEX["lwri"]]).all()
    assert np.flatnonzero(poses.columns).tolist() == sorted([INDEX["lwri"], INDEX["nose"]])
    assert poses.scores.tolist() == [0.5]


def test_categories_without_keypoints_are_left_out() -> None:
    results = [entry(), entry(category_id=2)]
    poses = read_results(PATH, results, {"1": list(COCO_KEYPOINTS), "2": []})
    assert len(poses.joints) == 1
    assert poses.notes == ("1 predictions of categories without keypoints are left out",)
    with pytest.raises(InputError, match="no entry is of a category with keypoints"):
        read_results(PATH, results[1:], {"1": list(COCO_KEYPOINTS), "2": []})


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([], "results.json: has no predictions; add an entry for each person"),
        ([entry(), 1], "results.json: 1 of 2 entries are invalid: [1] is not an object"),
        ([entry(True)], "[0].image_id is not an integer or a text"),
        ([entry(score="high")], "[0].score is 'high', not a number"),
        ([entry(score=float("nan"))], "[0].score is nan, not a number"),
        ([entry(keypoints=0)], "[0].keypoints has 0 values"),
        ([entry() | {"keypoints": [1, 2]}], "[0].keypoints has 2 values, not x, y and visibility of each keypoint"),
        ([entry() | {"keypoints": [[1, 2, 3]]}], "[0].keypoints is not a list of numbers"),
        ([{"image_id": 1, "bbox": [0, 0, 1, 1]}] * 5, "5 of 5 entries are invalid: [0].keypoints is not a list"),
        ([{"image_id": 1, "bbox": [0, 0, 1, 1]}] * 5, "[2].keypoints is not a list of numbers and 2 more"),
        (
            [entry(keypoints=14)],
            "results.json: the names of its 14 keypoints are unknown; give the annotations as COCO",
        ),
    ],
)
def test_errors(results: Any, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as error:
        read_results(PATH, results, {})
    assert "\n" not in str(error.value)


def test_keypoints_that_do_not_fit_the_category() -> None:
    with pytest.raises(
        InputError, match="image_id 7 has 17 keypoints, but its category has 2; give the predictions"
    ):
        read_results(PATH, [entry()], {"1": ["nose", "left_wrist"]})
    with pytest.raises(InputError, match="none of the keypoints tail, wing is one of the 11 joints"):
        read_results(PATH, [entry(keypoints=2)], {"1": ["tail", "wing"]})
