"""The search on real photographs, with a model trained on COCO: people are distinguished from background."""

import json

import cv2
import numpy as np
import pytest

from splitpose import images
from splitpose.crops.geometry import CropRegion, ImagePyramid, apply_affine, crop_affine, invert_affine
from splitpose.export.person_detection import DetectionScores, choose_threshold, score_images
from splitpose.inference.pose_model import Prediction
from splitpose.inference.runtime import Runtime
from splitpose.inference.sliding_window import joints_crop_policy, search_people

pytestmark = pytest.mark.integration

COCO_JOINTS = [5, 7, 9, 6, 8, 10, 11, 12, 1, 2, 0]
"""Indices of our joints among COCO's 17."""

COUNT = 6
"""Photographs of each kind; with twice 12, the threshold of one half misses 1 of the other 12 people, and finds a
person in 2 of 12 strips."""


class MoveNet:
    """MoveNet with the interface of PoseModel; it outputs y, x in 0..1 and a score of COCO's 17 joints."""

    joints_padding, person_threshold = 1.5, 0.0

    def __init__(self, path):
        self._runtime = Runtime(path)

    def predict_region(self, image: ImagePyramid, region: CropRegion) -> Prediction:
        affine = crop_affine(region, 192)
        crop = image.warp(affine, 192)[..., ::-1]
        y, x, score = self._runtime.run(crop[None])[0, 0, COCO_JOINTS].T
        joints = np.stack([x, y], axis=1) * 192 - 0.5
        return Prediction(apply_affine(invert_affine(affine), joints), score, region)


@pytest.fixture(scope="module")
def model(shared):
    return MoveNet(shared / "peers" / "movenet_single_pose_lightning_ptq.tflite")


@pytest.fixture(scope="module")
def photographs(shared):
    """Return photographs with one annotated person, fully visible, and strips of photographs without people."""
    people, empty = [], []
    for folder in ("coco_mini", "coco_more"):
        content = json.loads((shared / folder / "person_keypoints.json").read_text())
        for entry in content["images"]:
            of_image = [row for row in content["annotations"] if row["image_id"] == entry["id"]]
            path = shared / folder / "images" / entry["file_name"]
            if len(of_image) == 1 and of_image[0]["num_keypoints"] >= 15 and len(people) < COUNT:
                people.append(images.read(path))
            strip = max(_gaps(of_image, entry["width"]), key=lambda gap: gap[1] - gap[0])
            if strip[1] - strip[0] >= 200 and len(empty) < COUNT:
                empty.append(images.read(path)[:, strip[0] : strip[1]])
    assert len(people) == len(empty) == COUNT
    return people, empty


def _gaps(annotations, width):
    """Yield the ranges of columns without a person's box."""
    start = 0
    for x, _, box_width, _ in sorted(row["bbox"] for row in annotations):
        yield start, int(x)
        start = max(start, int(np.ceil(x + box_width)))
    yield start, width


def test_people_have_a_higher_confidence_than_backgrounds(model, photographs):
    people, empty = (score_images([model], pictures)[0] for pictures in photographs)
    scores = DetectionScores(people, empty)
    errors = scores.count_errors(choose_threshold(scores))
    assert errors["misses"] <= 1
    assert errors["false_alarms"] <= 1


def test_two_people_side_by_side_are_both_found(model, photographs):
    first, second = (cv2.resize(pixels, (360, 480)) for pixels in photographs[0][1:3])
    found = search_people(model, ImagePyramid(cv2.hconcat([first, second])), (720, 480), joints_crop_policy(1.5), 2)
    assert sorted(person.region.x > 360 for person in found) == [False, True]
