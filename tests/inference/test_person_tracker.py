import numpy as np
import pytest
from support.fake_model import FakeModel, person_joints, person_region

from splitpose.crops.geometry import CropRegion, full_image_region
from splitpose.inference.person_tracker import LOST_RATIO, PersonTracker, torso_crop_policy
from splitpose.inference.pose_model import EMPTY_POSE, Prediction

SIZE, FPS = (640, 480), 25.0


def update_all(model, tracker, persons):
    """Update the tracker with one frame for each person (None: an empty scene); return the tracked poses."""
    poses = []
    for person in persons:
        model.persons = [person] if person else []
        poses.append(tracker.update(None, []))
    return poses


def is_at(pose, person):
    return pose.prediction.joints == pytest.approx(person_joints(*person))


def test_a_person_is_tracked_from_a_box_with_one_prediction_per_frame():
    persons = [(100 + 8 * n, 200 + 2 * n, 120 + n) for n in range(50)]
    model = FakeModel([])
    poses = update_all(model, PersonTracker(model, SIZE, FPS, person_region(*persons[0])), persons)
    assert all(is_at(pose, person) for pose, person in zip(poses, persons, strict=True))
    assert len(model.regions) == 50
    assert {pose.track_id for pose in poses} == {0}
    for pose, before in zip(poses[1:], persons, strict=False):  # the region is around the person a frame before
        region = pose.prediction.region
        assert (region.x, region.side) == pytest.approx((before[0], 1.5 * before[2]))


def test_without_a_box_the_first_frame_is_searched():
    model = FakeModel([])
    (pose,) = update_all(model, PersonTracker(model, SIZE, FPS, None), [(450, 300, 140)])
    assert is_at(pose, (450, 300, 140))


def test_a_wrong_first_result_is_soon_replaced():
    model = FakeModel([])
    tracker = PersonTracker(model, SIZE, FPS, None)
    update_all(model, tracker, [None])  # a guess
    poses = update_all(model, tracker, [(450, 300, 140)] * 12)
    assert is_at(poses[-1], (450, 300, 140))
    assert poses[-1].track_id > poses[0].track_id


def test_the_search_interval_grows():
    model = FakeModel([])
    tracker, counts = PersonTracker(model, SIZE, FPS, None), []
    for _ in range(500):
        update_all(model, tracker, [(450, 300, 140)])
        counts.append(len(model.regions))
    searches = [frame for frame, count in enumerate(np.diff([0, *counts])) if count > 1]
    assert searches[0] == 0
    assert len(searches) == 4  # the intervals are 8, 33, 133 and 533 frames, and a frame each for the search
    assert np.all(np.diff(searches)[1:] > 3 * np.diff(searches)[:-1])


def test_a_search_follows_a_loss():
    model = FakeModel([])
    before, after = (150, 240, 140), (500, 240, 140)
    tracker = PersonTracker(model, SIZE, FPS, person_region(*before))
    update_all(model, tracker, [before] * 30)
    poses = update_all(model, tracker, [after] * 12)  # a cut: the person is suddenly somewhere else
    assert is_at(poses[-1], after)
    assert poses[-1].track_id == 1


def test_a_search_soon_follows_a_loss_even_at_a_long_search_interval():
    model = FakeModel([])
    tracker = PersonTracker(model, SIZE, FPS, None)
    update_all(model, tracker, [(150, 240, 140)] * 60)  # the next search would be more than a hundred frames off
    poses = update_all(model, tracker, [(500, 240, 140)] * 12)
    assert is_at(poses[-1], (500, 240, 140))


def test_a_slowly_falling_confidence_is_not_a_loss():
    model = FakeModel([])
    tracker = PersonTracker(model, SIZE, FPS, person_region(300, 200, 100))

    def predictions_in_a_frame(confidence):
        regions = []

        def predict_region(image, region):
            regions.append(region)
            return Prediction(person_joints(300, 200, 100), np.full(11, confidence), region)

        model.predict_region = predict_region
        tracker.update(None, [])
        return len(regions)

    assert {predictions_in_a_frame(confidence) for confidence in np.linspace(0.9, 0.4, 500)} == {1}
    assert predictions_in_a_frame(0.3) > 10  # a sudden drop: searched


def test_a_person_who_leaves_and_returns_is_found():
    model = FakeModel([])
    person = (150, 240, 140)
    tracker = PersonTracker(model, SIZE, FPS, person_region(*person))
    update_all(model, tracker, [person] * 10 + [None] * 60)
    poses = update_all(model, tracker, [(400, 240, 140)] * 40)
    assert is_at(poses[-1], (400, 240, 140))


def test_two_trackers_do_not_converge_to_one_person():
    left, right = (150, 240, 140), (480, 240, 140)
    model = FakeModel([left, right])
    first = PersonTracker(model, SIZE, FPS, person_region(*left))
    second = PersonTracker(model, SIZE, FPS, None)
    for _ in range(3):
        first_pose = first.update(None, [second.region] if second.region else [])
        second_pose = second.update(None, [first.region])
    assert is_at(first_pose, left)
    assert is_at(second_pose, right)


def test_a_fixed_tracker_predicts_the_same_region_in_all_frames():
    model = FakeModel([])
    region = CropRegion(300, 200, 250)
    tracker = PersonTracker(model, SIZE, FPS, region, is_fixed=True)
    poses = update_all(model, tracker, [(300, 200, 160), (100, 100, 160), None])
    assert [pose.prediction.region for pose in poses] == [region] * 3
    assert model.regions == [region] * 3


def test_a_fixed_tracker_without_region_predicts_nothing():
    model = FakeModel([])
    (pose,) = update_all(model, PersonTracker(model, SIZE, FPS, None, is_fixed=True), [(300, 200, 160)])
    assert pose.prediction is EMPTY_POSE
    assert model.regions == []


def test_a_region_outside_the_image_is_not_tracked():
    model = FakeModel([])
    tracker = PersonTracker(model, SIZE, FPS, person_region(630, 240, 100))
    update_all(model, tracker, [(630, 240, 100), (645, 240, 100)])
    assert tracker.region is None


def test_a_loss_is_relative_to_the_confidence_ema():
    """A model whose confidence is never above 0.3 is tracked too."""
    model = FakeModel([])
    joints = person_joints(300, 200, 100)
    model.predict_region = lambda image, region: Prediction(joints, np.full(11, 0.3), region)
    tracker = PersonTracker(model, SIZE, FPS, person_region(300, 200, 100))
    poses = [tracker.update(None, []) for _ in range(50)]
    assert {pose.track_id for pose in poses} == {0}
    assert 0 < LOST_RATIO < 1


def test_torso_crop_policy_keeps_the_regions_position_relative_to_the_torso():
    """The box was that of a standing person: it extends further down than the joints."""
    joints = person_joints(100, 100, 80)
    crop_policy = torso_crop_policy(Prediction(joints, np.full(11, 0.9), CropRegion(110, 160, 300)))
    assert crop_policy(joints) == CropRegion(pytest.approx(110), pytest.approx(160), pytest.approx(300))
    moved = crop_policy(2 * (joints - [100, 100]) + [300, 200])  # twice as large, elsewhere
    assert (moved.x, moved.y, moved.side) == pytest.approx((320, 320, 600))


def test_a_detectors_box_is_tracked_with_its_padding():
    model = FakeModel([], regions_from_joints=False)
    tracker = PersonTracker(model, SIZE, FPS, CropRegion(150, 240, 210))
    update_all(model, tracker, [(150, 240, 140), (160, 240, 140)])
    assert (tracker.region.x, tracker.region.side) == pytest.approx((160, 210))


def test_without_a_box_regions_are_derived_from_the_joints():
    model = FakeModel([], regions_from_joints=False)
    tracker = PersonTracker(model, SIZE, FPS, None)
    poses = update_all(model, tracker, [(300, 240, 200)] * 2)
    assert is_at(poses[-1], (300, 240, 200))
    assert tracker.region.side == pytest.approx(300)


def test_every_frame_of_an_empty_scene_has_a_prediction():
    model = FakeModel([])
    poses = update_all(model, PersonTracker(model, (320, 240), FPS, None), [None] * 30)
    assert all(pose.prediction.region is not None for pose in poses)
    assert full_image_region(320, 240).side == 320
