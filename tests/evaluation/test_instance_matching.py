import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from splitpose.errors import InputError
from splitpose.evaluation.instance_matching import match_instances
from splitpose.evaluation.pose_set import ImageKey, PoseSet

X = ImageKey("1", "photos/000000000042.jpg")
Y = ImageKey("2", "photos/Y.jpg")


def poses(images: Sequence[ImageKey], rows: Sequence[int], at: Sequence[float], **more: Any) -> PoseSet:
    """Return people all of whose joints are at (x, 0)."""
    joints = np.zeros((len(at), 11, 2))
    joints[..., 0] = np.array(at)[:, None]
    count = len(at)
    empty = PoseSet(
        Path("p.json"), "COCO", joints, np.ones(11, bool), None, False, list(images), np.array(rows, np.int64),
        np.zeros(count, bool), np.full((count, 4), np.nan), np.full(count, np.nan), np.full(count, np.nan),
    )  # fmt: skip
    return replace(empty, **more)


def truth(at: Sequence[float], rows: Sequence[int], **more: Any) -> PoseSet:
    return poses([X, Y], rows, at, path=Path("a.json"), ids=[str(n) for n in range(len(at))], **more)


def areas(people: PoseSet) -> np.ndarray:
    return np.full(len(people.joints), 1e4)


def test_predictions_take_the_person_of_the_highest_oks_in_order_of_their_scores() -> None:
    people = truth([0, 20, 300, 0], [0, 0, 0, 1])
    found = poses([X], [0, 0, 0, 0], [5, 4, 500, 299], scores=np.array([0.5, 0.9, 0.8, 0.1]))
    matching = match_instances(people, found, areas(people))
    assert matching.method == "image"
    assert matching.people.tolist() == [0, 1, 2, 3]
    # The second one takes the person at 0, so that the first is left with the one at 20; image Y has none.
    assert matching.predictions.tolist() == [1, 0, 3, -1]
    assert (matching.unmatched_predictions, matching.images_without_predictions) == (1, 1)
    assert [(p.annotated.tolist(), p.predicted.tolist()) for p in matching.images] == [
        ([0, 1, 2], [0, 1, 2, 3]),
        ([3], []),
    ]


def test_crowds_and_people_without_joints_are_no_people() -> None:
    people = truth([0, 0, 0], [0, 0, 0], crowds=np.array([True, False, False]))
    people.joints[2] = np.nan
    matching = match_instances(people, poses([X], [0, 0], [1, 1]), areas(people))
    assert matching.people.tolist() == [1]
    assert matching.unmatched_predictions == 0  # the second prediction is of the crowd


def test_predictions_without_joints_are_not_counted() -> None:
    people, found = truth([0], [0]), poses([X], [0], [0])
    found.joints[:] = np.nan
    matching = match_instances(people, found, areas(people))
    assert (matching.predictions.tolist(), matching.unmatched_predictions) == ([-1], 0)


@pytest.mark.parametrize(
    "image",
    [
        ImageKey("9", "photos/000000000042.jpg"),  # names come before ids
        ImageKey("2", "000000000042.jpg"),
        ImageKey("", ".\\elsewhere\\000000000042.jpg"),
        ImageKey("1", ""),
        ImageKey("000000000042.jpg", ""),  # AlphaPose
        ImageKey("42", ""),  # Ultralytics
    ],
)
def test_images_are_found(image: ImageKey) -> None:
    people = truth([0, 100], [0, 1])
    assert match_instances(people, poses([image], [0], [0]), areas(people)).predictions.tolist() == [0, -1]


def test_images_that_are_not_found() -> None:
    people = truth([0, 100], [0, 1])
    message = "p.json: 1 of its 2 images are not in a.json: '3'; images there are "
    with pytest.raises(InputError, match=re.escape(message)) as error:
        match_instances(people, poses([X._replace(name=""), ImageKey("3", "")], [0, 1], [0, 0]), areas(people))
    assert "remove the predictions for them" in str(error.value)
    with pytest.raises(
        InputError, match=r"1 of its 1 images .*; give file names, or a column image_id of the annot"
    ):
        match_instances(people, poses([ImageKey("3", "")], [0], [0]), areas(people))


def test_ambiguous_names_are_not_used() -> None:
    people = truth([0, 0], [0, 1])
    people = replace(people, images=[ImageKey("1", "a/x.jpg"), ImageKey("2", "b/x.jpg")])
    with pytest.raises(InputError, match="1 of its 1 images are not in"):
        match_instances(people, poses([ImageKey("", "x.jpg")], [0], [0]), areas(people))


def test_tables_are_matched_by_id() -> None:
    people = replace(truth([0, 100], [0, 1]), is_table=True)
    found = poses([], [], [100, 0], ids=["1", "0"], is_table=True)
    matching = match_instances(people, found, areas(people))
    assert (matching.method, matching.predictions.tolist()) == ("id", [1, 0])
    assert (matching.images, matching.images_without_predictions) == ([], None)


def test_a_table_of_predictions_for_coco_annotations() -> None:
    people = truth([0, 100], [0, 1], crowds=np.array([False, True]))
    by_id = poses([X], [0], [0], ids=["0"], is_table=True)
    assert match_instances(people, by_id, areas(people)).method == "id"
    by_image = poses([X], [0], [0], ids=["photos/x.jpg"], is_table=True)
    assert match_instances(people, by_image, areas(people)).method == "image"
    with pytest.raises(InputError, match="frames of a video, which cannot be matched by image"):
        match_instances(people, replace(by_image, has_frames=True), areas(people))


def test_annotations_without_images() -> None:
    people = replace(truth([0], [0]), is_table=True, images=[])
    with pytest.raises(
        InputError, match=r"a.json: has no column 'image' \(or 'image_id'\), by which its people are"
    ):
        match_instances(people, poses([X], [0], [0]), areas(people))
