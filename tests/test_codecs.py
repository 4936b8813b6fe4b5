import numpy as np
import pytest

from splitpose.codecs import Coordinates, Heatmaps, codec_of


def test_coordinates_by_hand():
    codec = Coordinates(size=4)
    # A crop of 4 px spans -0.5 to 3.5: its corner is -0.5 of a side from the middle, its middle 0.
    np.testing.assert_allclose(codec.encode(np.array([[[-0.5, 3.5], [1.5, 1.5]]])), [[[-0.5, 0.5], [0, 0]]])


def test_coordinates_round_trip():
    codec = Coordinates(size=96)
    joints = np.random.default_rng(0).uniform(-5, 100, (3, 11, 2)).astype(np.float32)
    np.testing.assert_allclose(codec.decode(codec.encode(joints)), joints, atol=1e-4)


def test_heatmap_peak_and_width_by_hand():
    codec = Heatmaps(size=32, width=3.0)
    # The centre of heatmap px (2, 5) is at 4 * 2 + 1.5 and 4 * 5 + 1.5 of the crop.
    maps = np.asarray(codec.encode(np.array([[[9.5, 21.5]]], np.float32)))
    assert maps.shape == (1, 8, 8, 1)
    assert maps[0, 5, 2, 0] == pytest.approx(1.0)
    # Full width at half maximum 3: one and a half px away it is a half, one px away 2 ** -(1 / 1.5) ** 2.
    assert maps[0, 5, 3, 0] == pytest.approx(2 ** -((1 / 1.5) ** 2), rel=1e-5)
    assert maps[0, 6, 3, 0] == pytest.approx(maps[0, 5, 3, 0] ** 2, rel=1e-5)


def test_heatmap_round_trip_is_within_half_a_heatmap_pixel():
    codec = Heatmaps(size=96, width=3.0)
    joints = np.random.default_rng(1).uniform(0, 95, (4, 11, 2)).astype(np.float32)
    found = codec.decode(np.asarray(codec.encode(joints)))
    assert np.abs(found - joints).max() <= 2.0 + 1e-4


def test_heatmap_of_a_joint_outside_has_no_peak():
    maps = np.asarray(Heatmaps(size=32, width=3.0).encode(np.array([[[-40.0, 10.0]]], np.float32)))
    assert maps.max() < 1e-3


def test_confidence():
    maps = np.zeros((1, 8, 8, 2), np.float32)
    maps[0, 3, 3, 0], maps[0, 1, 1, 1] = 0.7, 1.4
    np.testing.assert_allclose(Heatmaps(32, 3.0).confidence(maps), [[0.7, 1.0]])
    assert np.isnan(Coordinates(32).confidence(np.zeros((1, 11, 2)))).all()


def test_codec_is_told_by_the_shape_of_the_outputs():
    assert codec_of(np.zeros((1, 11, 2)), 96) == Coordinates(96)
    assert isinstance(codec_of(np.zeros((1, 24, 24, 11)), 96), Heatmaps)
