import numpy as np
import pytest
from predicting.fake_model import SURE, UNSURE, FakeModel, person, square

from splitpose.crops.geometry import Region
from splitpose.predicting.following import around_joints
from splitpose.predicting.model import Look
from splitpose.predicting.searching import overlap, search, squares, trust

AROUND = around_joints(1.5)


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


def test_trust_is_confidence_times_overlap():
    seen = Look(person(100, 100, 100), np.full(11, 0.8), Region(100, 100, 150))
    assert trust(seen, AROUND) == pytest.approx(0.8)
    aside = Look(person(100, 100, 100), np.full(11, 0.8), Region(175, 100, 150))
    assert trust(aside, AROUND) == pytest.approx(0.8 / 3)  # half of each is shared: 1/2 over 3/2
    assert trust(Look(person(0, 0, 10), np.full(11, UNSURE), None), AROUND) == 0


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
    assert overlap(Region(*one), Region(*other)) == pytest.approx(shared)
    assert overlap(Region(*other), Region(*one)) == pytest.approx(shared)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (100, 100), (1000, 90), (1, 1), (3, 700)])
def test_squares_cover_the_picture_and_none_leaves_it_but_the_whole(size):
    width, height = size
    whole, *rest = squares(width, height)
    assert whole == Region((width - 1) / 2, (height - 1) / 2, max(size))
    for side in {each.side for each in rest}:
        of_side = [each for each in rest if each.side == side]
        for length, middles in ((width, {each.x for each in of_side}), (height, {each.y for each in of_side})):
            ordered = sorted(middles)
            assert ordered[0] - side / 2 == pytest.approx(-0.5)
            assert ordered[-1] + side / 2 == pytest.approx(length - 0.5)
            assert all(gap <= side / 2 + 1e-6 for gap in np.diff(ordered))
    assert min(each.side for each in rest) == min(size) / 2
