"""The split is real: after the cut nothing of a joint reaches another joint, neither forward nor backward."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from splitpose import models
from splitpose.skeleton import JOINTS

SIZE, WIDTH = 64, 0.25
CUTS = {
    ("split", "sliced"): ("conv_pw_13_relu", "joints"),
    ("final", "sliced"): ("add_28", "heatmaps"),
    ("final", "shared"): ("split_pw_relu", "heatmaps"),
}
"""Variant: the layer whose output is cut, and one that knows how many of its channels each joint has."""


@pytest.fixture(scope="module", params=CUTS, ids="-".join)
def cut(request):
    """What comes after the cut, as a model; a map that goes into it; the joint that each channel belongs to."""
    keras.utils.set_random_seed(1)
    name, split = request.param
    model = models.build(name, SIZE, WIDTH, split=split)
    last, of_joints = (model.get_layer(layer) for layer in CUTS[request.param])
    after = keras.Model(last.output, model.output)
    x = np.random.default_rng(0).normal(size=(3, *last.output.shape[1:])).astype(np.float32)
    return after, x, np.repeat(np.arange(len(JOINTS)), of_joints.channels)


def of_joint(outputs, joint):
    """(B, K, 2) or (B, H, W, K): what belongs to one joint."""
    return outputs[:, joint] if len(outputs.shape) == 3 else outputs[..., joint]


def changed(before, after):
    """The joints whose outputs are not the same bits."""
    return [k for k in range(len(JOINTS)) if (of_joint(before, k) != of_joint(after, k)).any()]


@pytest.mark.parametrize("training", [False, True])
def test_a_joints_channels_change_its_output_alone(cut, training):
    after, x, owner = cut
    before = np.asarray(after(x, training=training))
    for joint in range(len(JOINTS)):
        other = np.where(owner == joint, 3 * x[:, ::-1] + 1, x)
        assert changed(before, np.asarray(after(other, training=training))) == [joint]


def test_a_joints_gradient_reaches_its_channels_alone(cut):
    after, x, owner = cut
    for joint in range(len(JOINTS)):
        with tf.GradientTape() as tape:
            inputs = tf.constant(x)
            tape.watch(inputs)
            score = tf.reduce_sum(of_joint(after(inputs, training=True), joint) ** 2)
        gradient = np.asarray(tape.gradient(score, inputs))
        reached = np.unique(owner[(gradient != 0).any(axis=(0, 1, 2))])
        assert reached.tolist() == [joint]


def test_a_joints_gradient_reaches_its_weights_alone(cut):
    """Of weights that are one for all channels, the joint's part."""
    after, x, owner = cut
    for joint, name in enumerate(JOINTS):
        with tf.GradientTape() as tape:
            score = tf.reduce_sum(of_joint(after(x, training=True), joint) ** 2)
        weights = after.trainable_variables
        gradients = tape.gradient(score, [weight.value for weight in weights])
        for weight, gradient in zip(weights, gradients, strict=True):
            reached = np.zeros(1) if gradient is None else np.asarray(gradient)
            if weight.name.startswith("kernel_"):
                assert (reached != 0).any() == (weight.name == f"kernel_{name}"), weight.path
            else:
                by_channel = np.abs(reached).reshape(-1, reached.shape[2] if reached.ndim == 4 else len(reached))
                assert set(belongs_to(by_channel.shape[1], owner)[by_channel.any(axis=0)]) == {joint}, weight.path


def belongs_to(count, owner):
    """The joint of each of `count` channels, or of as many biases of coordinates or heatmaps."""
    return owner if count == len(owner) else np.repeat(np.arange(len(JOINTS)), count // len(JOINTS))


def test_a_joints_kernels_change_its_output_alone(cut):
    after, x, _ = cut
    before = np.asarray(after(x, training=False))
    for joint, name in enumerate(JOINTS):
        kernels = [weight for weight in after.weights if weight.name == f"kernel_{name}"]
        kept = [np.asarray(kernel) for kernel in kernels]
        assert kernels
        for kernel, values in zip(kernels, kept, strict=True):
            kernel.assign(values + 1)
        found = changed(before, np.asarray(after(x, training=False)))
        for kernel, values in zip(kernels, kept, strict=True):
            kernel.assign(values)
        assert found == [joint]
