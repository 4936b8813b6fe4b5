import numpy as np
import pytest
from support.fake_model import SURE, FakeModel, person, square

from splitpose.crops.geometry import CropRegion
from splitpose.inference.pose_model import Look
from splitpose.inference.sliding_window import overlap, region_around_joints, search, squares

AROUND = region_around_joints(1.5)


def found(model, taken=(), size=(640, 480)):
    look = search(model, None, size, AROUND, taken)
    return look and (look.region.x, look.region.y, look.region.side)


@pytest.mark.parametrize("place", [(320, 240, 300), (100, 100, 110), (560, 400, 130), (200, 300, 200)])
def test_a_person_is_found_where_the_person_is(place):
    x, y, size = place
    assert found(FakeModel([place])) == pytest.approx((x, y, 1.5 * size))


def test_who_is_taken_is_not_found_again():
    one, other = (150, 240, 150), (480, 240, 150)
    model = FakeModel([one, other])
    assert found(model, [square(*one)]) == pytest.approx((480, 240, 225))
    assert found(model, [square(*other)]) == pytest.approx((150, 240, 225))


def test_nobody_is_left():
    model = FakeModel([(320, 240, 300)])
    model.look = lambda picture, region: Look(person(320, 240, 300), np.full(11, SURE), square(320, 240, 300))
    assert search(model, None, (640, 480), AROUND, [square(320, 240, 300)]) is None


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ((0, 0, 10), (0, 0, 10), 1),
        ((0, 0, 10), (10, 0, 10), 0),
        ((0, 0, 10), (50, 80, 10), 0),
        ((0, 0, 10), (5, 0, 10), 1 / 3),
        ((0, 0, 10), (5, 5, 10), 25 / 175),
        ((0, 0, 10), (1, 1, 2), 4 / 100),
        ((0, 0, 4), (0, 0, 8), 16 / 64),
    ],
)
def test_overlap(one, other, shared):
    assert overlap(CropRegion(*one), CropRegion(*other)) == pytest.approx(shared)
    assert overlap(CropRegion(*other), CropRegion(*one)) == pytest.approx(shared)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (100, 100), (700, 90), (1, 1)])
def test_squares_cover_the_picture_and_none_leaves_it_but_the_whole(size):
    width, height = size
    whole, *rest = squares(width, height)
    assert whole == CropRegion((width - 1) / 2, (height - 1) / 2, max(size))
    for side in {each.side for each in rest}:
        of_side = [each for each in rest if each.side == side]
        for length, middles in ((width, {each.x for each in of_side}), (height, {each.y for each in of_side})):
            ordered = sorted(middles)
            assert ordered[0] - side / 2 == pytest.approx(-0.5)
            assert ordered[-1] + side / 2 == pytest.approx(length - 0.5)
            assert all(gap <= side / 2 + 1e-6 for gap in np.diff(ordered))
    assert sides_of(rest) == pytest.approx([0.36 * min(size), 0.6 * min(size), min(size)])


@pytest.mark.parametrize("size", [(8000, 10), (3, 7000)])
def test_squares_in_a_very_long_picture_are_few_and_cover_it(size):
    rest = squares(*size)[1:]
    assert sides_of(rest) == pytest.approx([0.36 * max(size) / 8, 0.6 * max(size) / 8, max(size) / 8])
    assert len(rest) < 100
    assert {each.x if size[0] < size[1] else each.y for each in rest} == {(min(size) - 1) / 2}


def test_squares_of_some_sizes_alone():
    assert sides_of(squares(200, 100, (0.6,))[1:]) == pytest.approx([60])


def sides_of(regions):
    return sorted({each.side for each in regions})


def test_around_joints_is_the_box_of_all_joints():
    assert region_around_joints(2.0)(person(50, 60, 30)) == CropRegion(
        pytest.approx(50), pytest.approx(60), pytest.approx(60)
    )
