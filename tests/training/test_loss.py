"""Expected values are derived manually; gradients are TensorFlow's."""

import numpy as np
import pytest
import tensorflow as tf

from splitpose.codecs import Coordinates, Heatmaps
from splitpose.training.loss import LINEAR_FROM, PENALTIES, WING_EPSILON, joint_loss

CODECS = {"coordinates": Coordinates(32), "heatmaps": Heatmaps(32, 3.0)}


def loss_and_gradient(loss, joints, outputs):
    """Return the batch's mean loss, as in training, and its gradient."""
    outputs = tf.constant(outputs, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        total = tf.reduce_mean(loss(joints, outputs))
    return float(total), tape.gradient(total, outputs).numpy()


def test_loss_of_coordinates():
    joints = np.full((2, 11, 2), 1.5, np.float32)  # the centre of a crop of 4 px: target 0
    outputs = np.zeros((2, 11, 2), np.float32)
    outputs[0, :, 0] = 0.2
    np.testing.assert_allclose(joint_loss(Coordinates(4))(joints, outputs), [0.2**2 / 2, 0], atol=1e-7)


@pytest.mark.parametrize(
    ("name", "error", "penalty", "slope"),
    [
        ("squared", 0.02, 0.0004, 0.04),
        ("squared", -3.0, 9.0, -6.0),
        ("huber", 0.02, 0.0004, 0.04),  # as squared
        ("huber", 0.04, 0.0016, 0.08),  # the linear part begins
        ("huber", -1.04, 0.0816, -0.08),  # 0.0016 + 1 * 0.08
        ("wing", 0.008, 0.04 * np.log(2), 2.5),  # slope 0.04 / (0.008 + 0.008)
        ("wing", -0.032, 0.04 * np.log(5), -1.0),  # slope 0.04 / (0.008 + 0.032)
        ("wing", 1.04, 0.04 * np.log(6) + 1, 1.0),
    ],
)
def test_penalties_and_their_slopes(name, error, penalty, slope):
    assert (LINEAR_FROM, WING_EPSILON) == (0.04, 0.008)
    joints = np.full((1, 11, 2), 1.5, np.float32)
    loss, gradient = loss_and_gradient(joint_loss(Coordinates(4), name), joints, np.full((1, 11, 2), error))
    assert loss == pytest.approx(penalty, rel=1e-5)
    np.testing.assert_allclose(gradient, slope / 22, rtol=1e-5)


@pytest.mark.parametrize("name", PENALTIES)
def test_gradients_of_tiny_and_huge_errors_are_finite(name):
    joints = np.full((1, 11, 2), 1.5, np.float32)
    for error in (0.0, 1e-30, -1e-30, 1e6, -1e6):
        loss, gradient = loss_and_gradient(joint_loss(Coordinates(4), name), joints, np.full((1, 11, 2), error))
        assert np.isfinite(loss) and np.isfinite(gradient).all()
        assert (np.sign(gradient) * np.sign(error) >= 0).all()
    assert (loss_and_gradient(joint_loss(Coordinates(4), name), joints, np.zeros((1, 11, 2)))[1] == 0).all()


@pytest.mark.parametrize("name", PENALTIES)
def test_heatmaps_always_use_squares(name):
    joints = np.full((1, 11, 2), 9.5, np.float32)
    codec = Heatmaps(32, 3.0)
    outputs = np.asarray(codec.encode(joints)) + 0.5
    assert float(joint_loss(codec, name)(joints, outputs)[0]) == pytest.approx(0.25)


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize("name", PENALTIES)
def test_missing_joint_contributes_neither_loss_nor_gradient(kind, name):
    """The mean is over the other joints only: the loss is that of an instance with ten joints."""
    codec, rng = CODECS[kind], np.random.default_rng(0)
    joints = rng.uniform(4, 28, (2, 11, 2)).astype(np.float32)
    targets = np.asarray(codec.encode(joints))
    outputs = targets + rng.normal(0, 0.1, targets.shape).astype(np.float32)
    position = (0, 3) if kind == "coordinates" else (0, ..., 3)
    others = np.delete(np.arange(11), 3)
    loss = joint_loss(codec, name)
    loss_of_ten = joint_loss(codec, name)(
        joints[:, others], np.take(outputs, others, axis=1 if kind == "coordinates" else 3)
    )

    joints[0, 3, 1] = np.nan  # a joint with one missing coordinate is missing
    for value in (outputs[position], 1e20, np.nan):
        outputs[position] = value
        np.testing.assert_allclose(loss(joints, outputs)[0], loss_of_ten[0], rtol=1e-5)
        _, gradient = loss_and_gradient(loss, joints, outputs)
        assert np.isfinite(gradient).all()
        assert (gradient[position] == 0).all()
        assert (np.delete(gradient[0], 3, axis=0 if kind == "coordinates" else 2) != 0).any()


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize("name", PENALTIES)
def test_batch_without_annotated_joints_has_no_loss(kind, name):
    joints = np.full((2, 11, 2), np.nan, np.float32)
    outputs = np.ones(np.asarray(CODECS[kind].encode(np.zeros((2, 11, 2), np.float32))).shape)
    loss, gradient = loss_and_gradient(joint_loss(CODECS[kind], name), joints, outputs)
    assert loss == 0
    assert (gradient == 0).all()


def test_instances_have_equal_weight():
    """The number of annotated joints does not matter."""
    joints = np.full((2, 11, 2), 1.5, np.float32)
    joints[0, 1:] = np.nan
    np.testing.assert_allclose(
        joint_loss(Coordinates(4))(joints, np.full((2, 11, 2), 0.1)), [0.01, 0.01], rtol=1e-5
    )
