import keras
import numpy as np
import pytest
import tensorflow as tf

from splitpose.models.layers.batch_norm import BatchNorm

X = np.random.default_rng(0).normal(3.0, 2.0, size=(4, 5, 6, 7)).astype(np.float32)


def both_layers():
    """Return the layer and Keras' own layer with the same weights."""
    layers = [kind(momentum=0.9, epsilon=1e-3) for kind in (BatchNorm, keras.layers.BatchNormalization)]
    rng = np.random.default_rng(1)
    weights = [rng.uniform(0.5, 2.0, 7).astype(np.float32) for _ in range(4)]
    for layer in layers:
        layer.build(X.shape)
        layer.set_weights(weights)
    return layers


@pytest.mark.parametrize("training", [True, False])
def test_outputs_gradients_and_statistics_equal_those_of_keras(training):
    results = []
    for layer in both_layers():
        with tf.GradientTape() as tape:
            x = tf.constant(X)
            tape.watch(x)
            y = layer(x, training=training)
            score = tf.reduce_sum(y * tf.cast(tf.range(7), tf.float32) + y**3)
        gradients = tape.gradient(score, [x, layer.gamma.value, layer.beta.value])
        results.append([y, *gradients, *layer.get_weights()])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4 * np.abs(theirs).max())


def test_frozen_layer_uses_and_keeps_its_statistics():
    layer, _ = both_layers()
    layer.trainable = False
    before = layer.get_weights()
    np.testing.assert_array_equal(layer(X, training=True), layer(X, training=False))
    assert all((a == b).all() for a, b in zip(before, layer.get_weights(), strict=True))
