import keras
import numpy as np
import pytest
import tensorflow as tf

from splitpose.models.layers.pointwise import Pointwise

X = np.random.default_rng(0).normal(size=(2, 5, 4, 6)).astype(np.float32)


def both_layers():
    """Return the layer and Keras' convolution with the same weights."""
    ours, theirs = Pointwise(3), keras.layers.Conv2D(3, 1, use_bias=False)
    for layer in (ours, theirs):
        layer.build(X.shape)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


@pytest.mark.parametrize("trainable", [True, False])
def test_outputs_equal_those_of_keras(trainable):
    ours, theirs = both_layers()
    ours.trainable = trainable
    for training in (True, False):
        np.testing.assert_allclose(ours(X, training=training), theirs(X), rtol=0, atol=1e-5)


def test_gradients_equal_those_of_keras():
    results = []
    for layer in both_layers():
        with tf.GradientTape() as tape:
            x = tf.constant(X)
            tape.watch(x)
            score = tf.reduce_sum(layer(x, training=True) ** 2)
        results.append(tape.gradient(score, [x, layer.kernel.value]))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())


def test_layer_is_serialised_and_exported():
    ours, _ = both_layers()
    for other in (Pointwise.from_config(ours.get_config()), ours.export_layer()):
        other.build(X.shape)
        other.set_weights(ours.export_layer_weights())
        assert other.name == ours.name
        np.testing.assert_allclose(other(X), ours(X), rtol=0, atol=1e-6)
    assert type(ours.export_layer()) is keras.layers.Conv2D
