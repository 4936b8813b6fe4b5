import numpy as np
import pytest
from support.fake_model import FakeModel, person, square

from splitpose.crops.geometry import CropRegion, full_image_region
from splitpose.inference.person_tracker import LOST, PersonTracker, alike
from splitpose.inference.pose_model import NOBODY, Look

SIZE, RATE = (640, 480), 25.0


def walk(model, follower, places):
    """Looks at somebody who stands at each of the places, one frame each; what is seen."""
    out = []
    for place in places:
        model.people = [place] if place else []
        out.append(follower.look(None, []))
    return out


def on(seen, place):
    return seen.look.joints == pytest.approx(person(*place))


def test_a_person_is_followed_from_a_box_with_one_look_a_frame():
    places = [(100 + 8 * n, 200 + 2 * n, 120 + n) for n in range(50)]
    model = FakeModel([])
    seen = walk(model, PersonTracker(model, SIZE, RATE, square(*places[0])), places)
    assert all(on(each, place) for each, place in zip(seen, places, strict=True))
    assert len(model.looks) == 50
    assert {each.begun for each in seen} == {0}
    for now, before in zip(seen[1:], places, strict=False):  # the square lies where the person was a frame before
        assert (now.look.region.x, now.look.region.side) == pytest.approx((before[0], 1.5 * before[2]))


def test_without_a_box_the_person_is_searched_at_first():
    model = FakeModel([])
    (seen,) = walk(model, PersonTracker(model, SIZE, RATE, None), [(450, 300, 140)])
    assert on(seen, (450, 300, 140))


def test_a_first_find_that_was_wrong_is_mended_soon():
    model = FakeModel([])
    follower = PersonTracker(model, SIZE, RATE, None)
    walk(model, follower, [None])  # nobody is there: a guess
    seen = walk(model, follower, [(450, 300, 140)] * 12)
    assert on(seen[-1], (450, 300, 140))
    assert seen[-1].begun > seen[0].begun


def test_searches_get_seldom():
    model = FakeModel([])
    follower, looks = PersonTracker(model, SIZE, RATE, None), []
    for _ in range(500):
        walk(model, follower, [(450, 300, 140)])
        looks.append(len(model.looks))
    searched = [frame for frame, more in enumerate(np.diff([0, *looks])) if more > 1]
    assert searched[0] == 0
    assert len(searched) == 4  # the waits are 8, 33, 133 and 533 frames, and a frame each for the search
    assert np.all(np.diff(searched)[1:] > 3 * np.diff(searched)[:-1])


def test_who_is_lost_is_searched_and_found_again():
    model = FakeModel([])
    place, elsewhere = (150, 240, 140), (500, 240, 140)
    follower = PersonTracker(model, SIZE, RATE, square(*place))
    walk(model, follower, [place] * 30)
    seen = walk(model, follower, [elsewhere] * 12)  # a cut: the person is somewhere else at once
    assert on(seen[-1], elsewhere)
    assert seen[-1].begun == 1


def test_who_is_lost_is_searched_soon_however_long_the_next_search_had_waited():
    model = FakeModel([])
    follower = PersonTracker(model, SIZE, RATE, None)
    walk(model, follower, [(150, 240, 140)] * 60)  # the next search would be more than a hundred frames off
    seen = walk(model, follower, [(500, 240, 140)] * 12)
    assert on(seen[-1], (500, 240, 140))


def test_a_confidence_that_falls_slowly_is_no_loss():
    model = FakeModel([])
    follower = PersonTracker(model, SIZE, RATE, square(300, 200, 100))

    def looks_at(sure):
        regions = []

        def look(picture, region):
            regions.append(region)
            return Look(person(300, 200, 100), np.full(11, sure), region)

        model.look = look
        follower.look(None, [])
        return len(regions)

    assert {looks_at(sure) for sure in np.linspace(0.9, 0.4, 500)} == {1}
    assert looks_at(0.3) > 10  # suddenly much less: searched


def test_a_person_who_leaves_and_comes_back_is_found_again():
    model = FakeModel([])
    place = (150, 240, 140)
    follower = PersonTracker(model, SIZE, RATE, square(*place))
    walk(model, follower, [place] * 10 + [None] * 60)
    seen = walk(model, follower, [(400, 240, 140)] * 40)
    assert on(seen[-1], (400, 240, 140))


def test_two_followers_do_not_end_on_one_person():
    one, other = (150, 240, 140), (480, 240, 140)
    model = FakeModel([one, other])
    first = PersonTracker(model, SIZE, RATE, square(*one))
    second = PersonTracker(model, SIZE, RATE, None)
    for _ in range(3):
        at_first = first.look(None, [second.region] if second.region else [])
        at_second = second.look(None, [first.region])
    assert on(at_first, one)
    assert on(at_second, other)


def test_who_stays_looks_at_one_square_in_all_frames():
    model = FakeModel([])
    at = CropRegion(300, 200, 250)
    seen = walk(model, PersonTracker(model, SIZE, RATE, at, stays=True), [(300, 200, 160), (100, 100, 160), None])
    assert [each.look.region for each in seen] == [at] * 3
    assert model.looks == [at] * 3


def test_nobody_stays_nobody():
    model = FakeModel([])
    (seen,) = walk(model, PersonTracker(model, SIZE, RATE, None, stays=True), [(300, 200, 160)])
    assert seen.look is NOBODY
    assert model.looks == []


def test_a_square_out_of_the_picture_is_not_followed():
    model = FakeModel([])
    follower = PersonTracker(model, SIZE, RATE, square(630, 240, 100))
    walk(model, follower, [(630, 240, 100), (645, 240, 100)])
    assert follower.region is None


def test_usual_confidence_decides_who_is_lost():
    """A model that is never surer than 0.3 is followed all the same."""
    model = FakeModel([])
    model.look = lambda picture, region: Look(person(300, 200, 100), np.full(11, 0.3), region)
    follower = PersonTracker(model, SIZE, RATE, square(300, 200, 100))
    seen = [follower.look(None, []) for _ in range(50)]
    assert {each.begun for each in seen} == {0}
    assert 0 < LOST < 1


def test_squares_of_a_detector_are_kept_in_their_place_around_the_torso():
    """The box was that of a standing person: it reaches further down than the joints."""
    joints = person(100, 100, 80)
    around = alike(Look(joints, np.full(11, 0.9), CropRegion(110, 160, 300)))
    assert around(joints) == CropRegion(pytest.approx(110), pytest.approx(160), pytest.approx(300))
    moved = around(2 * (joints - [100, 100]) + [300, 200])  # twice as large, elsewhere
    assert (moved.x, moved.y, moved.side) == pytest.approx((320, 320, 600))


def test_a_detectors_box_is_followed_at_its_margin():
    model = FakeModel([], boxes_are_of_joints=False)
    start = CropRegion(150, 240, 210)
    follower = PersonTracker(model, SIZE, RATE, start)
    walk(model, follower, [(150, 240, 140), (160, 240, 140)])
    assert (follower.region.x, follower.region.side) == pytest.approx((160, 210))


def test_without_a_box_squares_of_a_detectors_model_are_those_of_joints():
    model = FakeModel([], boxes_are_of_joints=False)
    follower = PersonTracker(model, SIZE, RATE, None)
    seen = walk(model, follower, [(300, 240, 200)] * 2)
    assert on(seen[-1], (300, 240, 200))
    assert follower.region.side == pytest.approx(300)


def test_somebody_is_always_looked_at():
    """Nobody anywhere, for long: every frame has a look in the picture."""
    model = FakeModel([])
    seen = walk(model, PersonTracker(model, (320, 240), RATE, None), [None] * 30)
    assert all(each.look.region is not None for each in seen)
    assert full_image_region(320, 240).side == 320
