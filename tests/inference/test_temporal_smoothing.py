import numpy as np
import pytest

from splitpose.inference.temporal_smoothing import smooth, smoothed

RATE = 25.0
SIDE = 200.0


def tracks(places, begun=None):
    """Frames of one person with two joints, one at x = `places` and y = 7, one that stands still."""
    begun = begun or [0] * len(places)
    return [
        (np.array([[[x, 7.0], [50.0, 60.0]]]), np.array([SIDE]), np.array([since]))
        for x, since in zip(places, begun, strict=True)
    ]


def smoothed_x(places, begun=None, rate=RATE):
    frames = smoothed(tracks(places, begun), lambda track: track, rate)
    out = [joints for _, joints in frames]
    assert all(joints[0, 1] == pytest.approx([50, 60]) and joints[0, 0, 1] == pytest.approx(7) for joints in out)
    return np.array([joints[0, 0, 0] for joints in out])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 12, 40])
def test_even_movement_has_no_lag_from_the_first_frame_to_the_last(count):
    places = 100 + 1.5 * np.arange(count)
    assert smoothed_x(places) == pytest.approx(places)


def test_frames_come_in_order_and_all():
    items = [(number, *track) for number, track in enumerate(tracks(np.arange(30.0)))]
    assert [item[0] for item, _ in smoothed(items, lambda item: item[1:], RATE)] == list(range(30))


def test_trembling_goes():
    rng = np.random.default_rng(0)
    places = 100 + rng.normal(0, 2, 200)
    assert np.std(smoothed_x(places)[10:-10]) < 1.1


def test_three_frames_by_hand():
    """A slip of 10 px between two frames at 0: weights 1 and, 40 ms off, exp(-(0.04 / 0.13)^2 / 2).

    The middle frame's mean of three is 10 / 3; the outer frames have no pair beside them and stand for themselves,
    so that they are 10 / 3 px off, 1 / 60 of the square, and weigh exp(-(1 / 60 / 0.05)^2 / 2) of that.
    """
    beside = np.exp(-((0.04 / 0.13) ** 2) / 2) * np.exp(-((1 / 60 / 0.05) ** 2) / 2)
    assert smoothed_x([0.0, 10.0, 0.0])[1] == pytest.approx(10 / (1 + 2 * beside))


def test_a_quick_gesture_stays():
    places = np.repeat([100.0, 180.0], 20)  # 0.4 sides of the square from one frame to the next
    out = smoothed_x(places)
    assert out[:17] == pytest.approx(places[:17], abs=0.1)
    assert out[23:] == pytest.approx(places[23:], abs=0.1)
    assert out[19] < 140 < out[20]


def test_who_was_found_anew_is_not_mixed_with_before():
    places, begun = np.repeat([100.0, 104.0], 10), [0] * 10 + [1] * 10
    assert smoothed_x(places, begun) == pytest.approx(places)
    assert not np.allclose(smoothed_x(places), places)


def test_people_are_smoothed_each_alone():
    first, second = tracks([0.0, 10.0, 0.0]), tracks([5.0, 5.0, 5.0], [0, 0, 1])
    both = [
        tuple(np.concatenate(parts) for parts in zip(*frame, strict=True))
        for frame in zip(first, second, strict=True)
    ]
    joints = smooth(both, 1, 5, RATE)
    assert joints[0] == pytest.approx(smooth(first, 1, 5, RATE)[0])
    assert joints[1] == pytest.approx(second[1][0][0])


def test_a_slow_video_is_left_as_it_is():
    places = [0.0, 10.0, 0.0, 10.0]
    assert smoothed_x(places, rate=2.0) == pytest.approx(places)
