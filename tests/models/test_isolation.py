"""After the joint split, no joint's channels reach another joint, neither forward nor backward."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from splitpose import models
from splitpose.skeleton import JOINTS

pytestmark = pytest.mark.integration

SIZE, WIDTH = 64, 0.25
JOINT_SPLITS = {
    ("split", "sliced"): ("conv_pw_13_relu", "joints"),
    ("final", "sliced"): ("add_28", "heatmaps"),
    ("final", "shared"): ("split_pw_relu", "heatmaps"),
}
"""The layer whose output is split between the joints, and a layer with each joint's number of channels."""


@pytest.fixture(scope="module", params=JOINT_SPLITS, ids="-".join)
def joint_split(request):
    """Return the layers after the joint split as a model, an input of it, and the joint of each input channel."""
    keras.utils.set_random_seed(1)
    name, split = request.param
    model = models.build(name, SIZE, WIDTH, split=split)
    last, jointwise = (model.get_layer(layer) for layer in JOINT_SPLITS[request.param])
    after = keras.Model(last.output, model.output)
    x = np.random.default_rng(0).normal(size=(3, *last.output.shape[1:])).astype(np.float32)
    return after, x, np.repeat(np.arange(len(JOINTS)), jointwise.channels)


def select_joint(outputs, joint):
    """Return one joint's part of coordinates (B, K, 2) or heatmaps (B, H, W, K)."""
    return outputs[:, joint] if len(outputs.shape) == 3 else outputs[..., joint]


def changed_joints(before, after):
    """Return the joints whose outputs are not identical."""
    return [k for k in range(len(JOINTS)) if (select_joint(before, k) != select_joint(after, k)).any()]


@pytest.mark.parametrize("training", [False, True])
def test_channels_of_a_joint_change_only_its_output(joint_split, training):
    after, x, owner = joint_split
    before = np.asarray(after(x, training=training))
    for joint in range(len(JOINTS)):
        other = np.where(owner == joint, 3 * x[:, ::-1] + 1, x)
        assert changed_joints(before, np.asarray(after(other, training=training))) == [joint]


def test_gradient_of_a_joint_reaches_only_its_channels(joint_split):
    after, x, owner = joint_split
    for joint in range(len(JOINTS)):
        with tf.GradientTape() as tape:
            inputs = tf.constant(x)
            tape.watch(inputs)
            score = tf.reduce_sum(select_joint(after(inputs, training=True), joint) ** 2)
        gradient = np.asarray(tape.gradient(score, inputs))
        reached = np.unique(owner[(gradient != 0).any(axis=(0, 1, 2))])
        assert reached.tolist() == [joint]


def test_gradient_of_a_joint_reaches_only_its_weights(joint_split):
    """In weights that all channels share, the gradient is nonzero only in the joint's part."""
    after, x, owner = joint_split
    for joint, name in enumerate(JOINTS):
        with tf.GradientTape() as tape:
            score = tf.reduce_sum(select_joint(after(x, training=True), joint) ** 2)
        weights = after.trainable_variables
        gradients = tape.gradient(score, [weight.value for weight in weights])
        for weight, gradient in zip(weights, gradients, strict=True):
            values = np.zeros(1) if gradient is None else np.asarray(gradient)
            if weight.name.startswith("kernel_"):
                assert (values != 0).any() == (weight.name == f"kernel_{name}"), weight.path
            else:
                by_channel = np.abs(values).reshape(-1, values.shape[2] if values.ndim == 4 else len(values))
                owners = channel_owners(by_channel.shape[1], owner)
                assert set(owners[by_channel.any(axis=0)]) == {joint}, weight.path


def channel_owners(count, owner):
    """Return the joint of each of `count` channels, or of as many biases of coordinates or heatmaps."""
    return owner if count == len(owner) else np.repeat(np.arange(len(JOINTS)), count // len(JOINTS))


def test_kernels_of_a_joint_change_only_its_output(joint_split):
    after, x, _ = joint_split
    before = np.asarray(after(x, training=False))
    for joint, name in enumerate(JOINTS):
        kernels = [weight for weight in after.weights if weight.name == f"kernel_{name}"]
        originals = [np.asarray(kernel) for kernel in kernels]
        assert kernels
        for kernel, values in zip(kernels, originals, strict=True):
            kernel.assign(values + 1)
        changed = changed_joints(before, np.asarray(after(x, training=False)))
        for kernel, values in zip(kernels, originals, strict=True):
            kernel.assign(values)
        assert changed == [joint]
