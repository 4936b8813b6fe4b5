import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from splitpose.data.formats import coco
from splitpose.data.joint_names import JointNames
from splitpose.evaluation.oks import (
    SIGMAS,
    AnnotatedImage,
    PredictedImage,
    average_precision,
    match,
    match_rows,
    oks,
)
from splitpose.skeleton import INDEX, JOINTS

K = len(JOINTS)
Images = list[tuple[AnnotatedImage, PredictedImage]]


def annotated(joints: np.ndarray, area: float = 100.0, box: Any = np.nan, crowd: bool = False) -> AnnotatedImage:
    count = len(joints)
    return AnnotatedImage(joints, np.full(count, area), np.full((count, 4), box), np.full(count, crowd))


def only(joint: str, *positions: tuple[float, float]) -> np.ndarray:
    """Return people with one annotated joint each."""
    joints = np.full((len(positions), K, 2), np.nan)
    joints[:, INDEX[joint]] = positions
    return joints


def scores(images: Images) -> dict[str, float]:
    return average_precision([match(*image) for image in images])


def coco_scores(images: Images) -> dict[str, float]:
    """Return the result of pycocotools for the 11 joints."""
    truth: dict[str, Any] = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "person"}]}
    results = []
    for number, (people, found) in enumerate(images):
        truth["images"].append({"id": number})
        for joints, area, box, crowd in zip(people.joints, people.areas, people.boxes, people.crowds, strict=True):
            is_annotated = np.isfinite(joints[:, 0])
            low = box[:2] + 0.5
            truth["annotations"].append(
                {
                    "id": len(truth["annotations"]) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "iscrowd": int(crowd),
                    "area": area,
                    "bbox": [*low, *(box[2:] + 0.5 - low)],
                    "num_keypoints": int(is_annotated.sum()),
                    "keypoints": np.column_stack([np.nan_to_num(joints), 2 * is_annotated]).ravel().tolist(),
                }
            )
        for joints, score in zip(found.joints, found.scores, strict=True):
            keypoints = np.column_stack([np.nan_to_num(joints, nan=-1e4), np.ones(K)]).ravel().tolist()
            results.append({"image_id": number, "category_id": 1, "keypoints": keypoints, "score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO()
        reference.dataset = truth
        reference.createIndex()
        evaluation = COCOeval(reference, reference.loadRes(results), "keypoints")
        evaluation.params.kpt_oks_sigmas = SIGMAS
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ap, ap50, ap75, _, _, ar, *_ = evaluation.stats
    return {"AP": ap, "AP50": ap50, "AP75": ap75, "AR": ar}


def random_images(seed: int, images: int = 12, jitter: float = 0.05) -> Images:
    """Return people with missing joints, some ignored, and predictions near them and elsewhere, with ties."""
    rng = np.random.default_rng(seed)
    result = []
    for _ in range(images):
        people, more = rng.integers(0, 5), rng.integers(0, 4)
        side = rng.uniform(20, 200, people)
        centre = rng.uniform(0, 300, (people, 1, 2))
        joints = centre + rng.normal(0, 0.3, (people, K, 2)) * side[:, None, None]
        box = np.concatenate([centre[:, 0] - side[:, None], centre[:, 0] + side[:, None]], axis=1)
        moved = joints + rng.normal(0, jitter, joints.shape) * side[:, None, None]
        moved = moved[rng.random(people) < 0.8]
        other = rng.uniform(0, 300, (more, 1, 2)) + rng.normal(0, 30, (more, K, 2))
        found = np.concatenate([moved, moved[:1] + 1, other])
        found[rng.random(found.shape[:2]) < 0.1] = np.nan
        found[np.isnan(found).all(axis=(1, 2)), 0] = 0.0
        joints[rng.random(joints.shape[:2]) < 0.3] = np.nan
        joints[rng.random(people) < 0.15] = np.nan
        image = AnnotatedImage(joints, side**2, box, rng.random(people) < 0.15)
        result.append((image, PredictedImage(found, rng.integers(0, 8, len(found)) / 8)))
    result.append((annotated(only("nose", (0, 0))), PredictedImage(np.zeros((1, K, 2)), np.array([0.5]))))
    return result


def assert_equal_to_coco(images: Images) -> None:
    assert scores(images) == pytest.approx(coco_scores(images), abs=1e-6)


def test_published_constants() -> None:
    assert dict(zip(JOINTS, SIGMAS.tolist(), strict=True)) == {
        "lsho": 0.079, "lelb": 0.072, "lwri": 0.062, "rsho": 0.079, "relb": 0.072, "rwri": 0.062,
        "lhip": 0.107, "rhip": 0.107, "leye": 0.025, "reye": 0.025, "nose": 0.026,
    }  # fmt: skip


def test_oks_of_one_joint() -> None:
    found = only("nose", (3, 4), (0, 0))
    # d = 5, 2 sigma = 0.052, area 100: 25 / 0.052^2 / 100 / 2 = 46.23; at area 10,000 it is 0.4623
    np.testing.assert_allclose(oks(annotated(only("nose", (0, 0)), 1e4), found)[:, 0], [0.62984, 1], atol=1e-5)
    np.testing.assert_allclose(oks(annotated(only("nose", (0, 0))), found)[:, 0], [np.exp(-46.2278), 1], rtol=1e-4)


def test_a_missing_prediction_of_a_joint_counts_as_wrong() -> None:
    truth = only("nose", (0, 0))
    truth[0, INDEX["lhip"]] = 5
    assert oks(annotated(truth), only("nose", (0, 0))).tolist() == [[0.5]]


def test_predictions_choose_in_order_of_their_scores() -> None:
    people = annotated(only("lhip", (0, 0), (1, 0)))
    found = PredictedImage(only("lhip", (0, 0), (0.4, 0), (50, 50)), np.array([0.3, 0.9, 0.5]))
    matches = match(people, found, np.array([0.0001, 1.0]))
    assert matches.order.tolist() == [1, 2, 0]
    # The one at 0.4 takes the person at 0, so that the one at 0 is left with the one at 1.
    assert matches.matches.tolist() == [[0, -1, 1], [-1, -1, 0]]


def test_ignored_people_are_matched_last_and_crowds_repeatedly() -> None:
    people = AnnotatedImage(
        only("lhip", (0, 0), (1, 0)), np.full(2, 100.0), np.full((2, 4), np.nan), np.array([True, False])
    )
    found = PredictedImage(only("lhip", (0, 0), (0, 0), (0, 0)), np.array([0.9, 0.8, 0.7]))
    matches = match(people, found, np.array([0.5]))
    assert matches.matches.tolist() == [[1, 0, 0]]
    assert matches.ignored.tolist() == [[False, True, True]]
    assert matches.people == 1


def test_rows_are_images_of_one_person_each() -> None:
    rng = np.random.default_rng(3)
    truth = rng.uniform(0, 100, (40, K, 2))
    truth[rng.random((40, K)) < 0.3] = np.nan
    people = annotated(truth, 1e4)
    found = PredictedImage(np.nan_to_num(truth) + rng.normal(0, 8, truth.shape), rng.random(40))
    found.joints[::7] = np.nan
    images = [
        (
            AnnotatedImage(people.joints[[n]], people.areas[[n]], people.boxes[[n]], people.crowds[[n]]),
            PredictedImage(
                *((found.joints[[n]], found.scores[[n]]) if n % 7 else (np.empty((0, K, 2)), np.empty(0)))
            ),
        )
        for n in range(40)
    ]
    result = average_precision([match_rows(people, found)])
    assert 0.2 < result["AP"] < 0.8
    assert result == pytest.approx(scores(images), abs=1e-12)


def test_average_precision_by_hand() -> None:
    people, no_people = annotated(only("lhip", (0, 0), (500, 0))), annotated(np.empty((0, K, 2)))
    found = PredictedImage(only("lhip", (0, 0)), np.array([0.5]))
    false = PredictedImage(only("lhip", (9, 9)), np.array([0.9]))
    # One of two people is found, after one false prediction: precision 1/2 up to recall 1/2, at 51 of 101 recalls.
    expected = {"AP": 51 / 202, "AP50": 51 / 202, "AP75": 51 / 202, "AR": 0.5}
    assert scores([(people, found), (no_people, false)]) == pytest.approx(expected)
    assert scores([(people, PredictedImage(np.empty((0, K, 2)), np.empty(0)))]) == dict.fromkeys(expected, 0.0)
    assert np.isnan(scores([(no_people, false)])["AP"])


@pytest.mark.parametrize("jitter", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("seed", range(10))
def test_random_people(seed: int, jitter: float) -> None:
    assert_equal_to_coco(random_images(seed, jitter=jitter))


def test_more_than_20_predictions_of_an_image() -> None:
    rng = np.random.default_rng(0)
    people = annotated(rng.uniform(0, 300, (25, K, 2)), 1e4)
    found = PredictedImage(people.joints + rng.normal(0, 3, (25, K, 2)), rng.random(25))
    assert match(people, found).order.shape == (20,)
    assert_equal_to_coco([(people, found)])


@pytest.mark.parametrize("name", ["coco_mini", "coco_more"])
def test_photographs(shared: Path, name: str) -> None:
    rng = np.random.default_rng(1)
    images = []
    for people in coco_images(shared / name / "person_keypoints.json"):
        count = len(people.areas)
        noise = rng.normal(0, 0.04, people.joints.shape) * np.sqrt(people.areas)[:, None, None]
        found = np.nan_to_num(people.joints) + noise
        images.append((people, PredictedImage(found, rng.random(count))))
    result = scores(images)
    assert 0.1 < result["AP"] < 0.95
    assert_equal_to_coco(images)


def coco_images(path: Path) -> list[AnnotatedImage]:
    people = coco.read(path, JointNames())
    areas = {str(entry["id"]): entry["area"] for entry in json.loads(path.read_text())["annotations"]}
    frame = people.people
    boxes = frame[["box_x0", "box_y0", "box_x1", "box_y1"]].to_numpy(float)
    area = frame["id"].map(areas).to_numpy(float)
    return [
        AnnotatedImage(people.joints[rows], area[rows], boxes[rows], frame["is_crowd"].to_numpy(bool)[rows])
        for rows in (np.flatnonzero(frame["image"] == image) for image in range(len(people.images)))
    ]
