import numpy as np
import pytest
from support.fake_model import HIGH_CONFIDENCE, FakeModel, person_joints, person_region

from splitpose.crops.geometry import CropRegion
from splitpose.inference.pose_model import Prediction
from splitpose.inference.sliding_window import (
    joints_crop_policy,
    overlap,
    search,
    search_people,
    sliding_windows,
)

CROP_POLICY = joints_crop_policy(1.5)


def found_region(model, exclude=(), size=(640, 480)):
    prediction = search(model, None, size, CROP_POLICY, exclude)
    return prediction and (prediction.region.x, prediction.region.y, prediction.region.side)


@pytest.mark.parametrize("person", [(320, 240, 300), (100, 100, 110), (560, 400, 130), (200, 300, 200)])
def test_a_person_is_found(person):
    x, y, size = person
    assert found_region(FakeModel([person])) == pytest.approx((x, y, 1.5 * size))


def test_excluded_persons_are_not_found():
    left, right = (150, 240, 150), (480, 240, 150)
    model = FakeModel([left, right])
    assert found_region(model, [person_region(*left)]) == pytest.approx((480, 240, 225))
    assert found_region(model, [person_region(*right)]) == pytest.approx((150, 240, 225))


def test_the_result_is_none_if_all_persons_are_excluded():
    person = (320, 240, 300)
    model = FakeModel([person])
    prediction = Prediction(person_joints(*person), np.full(11, HIGH_CONFIDENCE), person_region(*person))
    model.predict_region = lambda image, region: prediction
    assert search(model, None, (640, 480), CROP_POLICY, [person_region(*person)]) is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10), (0, 0, 10), 1),
        ((0, 0, 10), (10, 0, 10), 0),
        ((0, 0, 10), (50, 80, 10), 0),
        ((0, 0, 10), (5, 0, 10), 1 / 2),
        ((0, 0, 10), (5, 5, 10), 1 / 4),
        ((0, 0, 10), (1, 1, 2), 1),
        ((0, 0, 4), (0, 3, 8), 12 / 16),
    ],
)
def test_overlap(first, second, expected):
    assert overlap(CropRegion(*first), CropRegion(*second)) == pytest.approx(expected)
    assert overlap(CropRegion(*second), CropRegion(*first)) == pytest.approx(expected)


LEFT, MIDDLE, RIGHT = (110, 240, 130), (330, 260, 110), (540, 230, 120)


def found_people(model, max_people):
    people = search_people(model, None, (640, 480), CROP_POLICY, max_people)
    return [(person.region.x, person.region.y, person.region.side) for person in people]


def expected_regions(*persons):
    return [pytest.approx((x, y, 1.5 * size)) for x, y, size in persons]


def test_people_are_found_in_the_order_of_their_confidence():
    model = FakeModel([LEFT, MIDDLE, RIGHT], confidences=[0.7, 0.9, 0.8], person_threshold=0.5)
    assert found_people(model, 4) == expected_regions(MIDDLE, RIGHT, LEFT)
    assert found_people(model, 2) == expected_regions(MIDDLE, RIGHT)


def test_people_below_the_threshold_are_not_found():
    model = FakeModel([LEFT, RIGHT], confidences=[0.69, 0.7], person_threshold=0.7)
    assert found_people(model, 3) == expected_regions(RIGHT)
    model.confidences = [0.69, 0.69]
    assert found_people(model, 3) == []


def test_a_part_of_a_person_is_not_another_person():
    person, head = (300, 240, 200), (300, 190, 60)  # the head's region is inside the person's
    model = FakeModel([person, head], confidences=[0.9, 0.8], person_threshold=0.5)
    assert found_people(model, 3) == expected_regions(person)


def test_the_windows_are_predicted_once_for_all_people():
    model = FakeModel([LEFT, RIGHT], person_threshold=0.5)
    assert len(found_people(model, 2)) == 2
    windows = sliding_windows(640, 480)
    assert model.regions[: len(windows)] == windows
    assert not set(model.regions[len(windows) :]) & set(windows)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (100, 100), (700, 90), (1, 1)])
def test_windows_cover_the_image_and_stay_inside_it(size):
    width, height = size
    whole, *windows = sliding_windows(width, height)
    assert whole == CropRegion((width - 1) / 2, (height - 1) / 2, max(size))
    for side in {window.side for window in windows}:
        of_side = [window for window in windows if window.side == side]
        for length, centres in (
            (width, {window.x for window in of_side}),
            (height, {window.y for window in of_side}),
        ):
            ordered = sorted(centres)
            assert ordered[0] - side / 2 == pytest.approx(-0.5)
            assert ordered[-1] + side / 2 == pytest.approx(length - 0.5)
            assert all(gap <= side / 2 + 1e-6 for gap in np.diff(ordered))
    assert distinct_sides(windows) == pytest.approx([0.36 * min(size), 0.6 * min(size), min(size)])


@pytest.mark.parametrize("size", [(8000, 10), (3, 7000)])
def test_windows_of_a_very_elongated_image_are_few_and_cover_it(size):
    windows = sliding_windows(*size)[1:]
    assert distinct_sides(windows) == pytest.approx([0.36 * max(size) / 8, 0.6 * max(size) / 8, max(size) / 8])
    assert len(windows) < 100
    assert {window.x if size[0] < size[1] else window.y for window in windows} == {(min(size) - 1) / 2}


def test_windows_of_given_sizes():
    assert distinct_sides(sliding_windows(200, 100, (0.6,))[1:]) == pytest.approx([60])


def distinct_sides(regions):
    return sorted({region.side for region in regions})


def test_joints_crop_policy_uses_the_box_of_all_joints():
    assert joints_crop_policy(2.0)(person_joints(50, 60, 30)) == CropRegion(
        pytest.approx(50), pytest.approx(60), pytest.approx(60)
    )
