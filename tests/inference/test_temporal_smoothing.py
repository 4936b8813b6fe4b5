import numpy as np
import pytest

from splitpose.inference.temporal_smoothing import FramePoses, smooth_frames, smooth_joints

FPS = 25.0
SIDE = 200.0


def to_poses(xs, track_ids=None):
    """Return frames of one person with two joints, one at the given x and y = 7, and one at a fixed position."""
    return [
        FramePoses(np.array([[[x, 7.0], [50.0, 60.0]]]), np.array([SIDE]), np.array([track_id]))
        for x, track_id in zip(xs, track_ids or [0] * len(xs), strict=True)
    ]


def smoothed_xs(xs, track_ids=None, fps=FPS):
    frames = smooth_frames(to_poses(xs, track_ids), lambda poses: poses, fps)
    smoothed = [joints for _, joints in frames]
    for joints in smoothed:
        assert joints[0, 1] == pytest.approx([50, 60])
        assert joints[0, 0, 1] == pytest.approx(7)
    return np.array([joints[0, 0, 0] for joints in smoothed])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 12, 40])
def test_uniform_motion_has_no_lag_from_the_first_frame_to_the_last(count):
    xs = 100 + 1.5 * np.arange(count)
    assert smoothed_xs(xs) == pytest.approx(xs)


def test_all_frames_are_yielded_in_order():
    items = list(enumerate(to_poses(np.arange(30.0))))
    assert [item[0] for item, _ in smooth_frames(items, lambda item: item[1], FPS)] == list(range(30))


def test_jitter_is_reduced():
    rng = np.random.default_rng(0)
    xs = 100 + rng.normal(0, 2, 200)
    assert np.std(smoothed_xs(xs)[10:-10]) < 1.1


def test_three_frames_computed_manually():
    """An outlier of 10 px between two frames at 0: weights 1 and, 40 ms off, exp(-(0.04 / 0.13)^2 / 2).

    The middle frame's mean of three is 10 / 3; the outer frames have no pair of neighbours and are their own means,
    so that they are 10 / 3 px off, 1 / 60 of the region's side, and their weight is multiplied by
    exp(-(1 / 60 / 0.05)^2 / 2).
    """
    weight = np.exp(-((0.04 / 0.13) ** 2) / 2) * np.exp(-((1 / 60 / 0.05) ** 2) / 2)
    assert smoothed_xs([0.0, 10.0, 0.0])[1] == pytest.approx(10 / (1 + 2 * weight))


def test_a_quick_gesture_is_preserved():
    xs = np.repeat([100.0, 180.0], 20)  # 0.4 sides of the region from one frame to the next
    smoothed = smoothed_xs(xs)
    assert smoothed[:17] == pytest.approx(xs[:17], abs=0.1)
    assert smoothed[23:] == pytest.approx(xs[23:], abs=0.1)
    assert smoothed[19] < 140 < smoothed[20]


def test_tracks_are_not_mixed():
    xs, track_ids = np.repeat([100.0, 104.0], 10), [0] * 10 + [1] * 10
    assert smoothed_xs(xs, track_ids) == pytest.approx(xs)
    assert not np.allclose(smoothed_xs(xs), xs)


def test_persons_are_smoothed_independently():
    first, second = to_poses([0.0, 10.0, 0.0]), to_poses([5.0, 5.0, 5.0], [0, 0, 1])
    both = [
        FramePoses(*(np.concatenate(parts) for parts in zip(*frame, strict=True)))
        for frame in zip(first, second, strict=True)
    ]
    joints = smooth_joints(both, 1, 5, FPS)
    assert joints[0] == pytest.approx(smooth_joints(first, 1, 5, FPS)[0])
    assert joints[1] == pytest.approx(second[1].joints[0])


def test_a_video_with_a_low_frame_rate_is_unchanged():
    xs = [0.0, 10.0, 0.0, 10.0]
    assert smoothed_xs(xs, fps=2.0) == pytest.approx(xs)
