import numpy as np
import pytest

from splitpose.codecs import Coordinates, Heatmaps
from splitpose.training.loss import squared_error


def test_coordinates_by_hand():
    joints = np.full((2, 11, 2), 1.5, np.float32)  # the middle of a crop of 4 px: target 0
    outputs = np.zeros((2, 11, 2), np.float32)
    outputs[0, :, 0] = 0.2
    np.testing.assert_allclose(squared_error(Coordinates(4))(joints, outputs), [0.2**2 / 2, 0], atol=1e-7)


def test_a_missing_joint_counts_in_neither_sum_nor_number():
    joints = np.full((1, 11, 2), 1.5, np.float32)
    joints[0, 3] = np.nan
    outputs = np.full((1, 11, 2), 0.1, np.float32)
    outputs[0, 3] = 9.0
    np.testing.assert_allclose(squared_error(Coordinates(4))(joints, outputs), [0.01], rtol=1e-5)


def test_nobody_annotated_costs_nothing():
    assert float(squared_error(Coordinates(4))(np.full((1, 11, 2), np.nan), np.ones((1, 11, 2)))[0]) == 0.0


def test_heatmaps():
    codec = Heatmaps(32, 3.0)
    joints = np.full((1, 11, 2), 9.5, np.float32)
    targets = np.asarray(codec.encode(joints))
    loss = squared_error(codec)
    assert float(loss(joints, targets)[0]) == 0.0
    joints[0, 0] = np.nan
    off = targets.copy()
    off[..., 0] += 5.0  # the missing joint's map may be anything
    off[..., 1] += 0.1
    assert float(loss(joints, off)[0]) == pytest.approx(0.01 / 10, rel=1e-4)
