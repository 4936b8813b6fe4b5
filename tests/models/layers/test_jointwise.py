import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf

from splitpose import models
from splitpose.models.layers.jointwise import JointwiseConvolution, JointwiseRegression, allocate_channels
from splitpose.models.variants.final import FILTERS as FINAL
from splitpose.models.variants.split import FILTERS as SPLIT
from splitpose.skeleton import JOINTS

ONES = (1,) * 11


def test_channels_at_full_width_are_those_of_the_paper():
    assert allocate_channels(256, FINAL) == (25, 27, 35, 25, 27, 35, 27, 27, 10, 10, 8)
    assert allocate_channels(1024, SPLIT) == (105, 105, 140, 105, 105, 140, 105, 105, 35, 35, 44)


@pytest.mark.parametrize("total", [11, 12, 64, 89, 128, 358])
def test_channels_add_up_and_every_joint_has_at_least_one(total):
    channels = allocate_channels(total, FINAL)
    assert sum(channels) == total
    assert min(channels) >= 1


def test_convolution_of_known_kernels():
    layer = JointwiseConvolution((2, *ONES[1:]), ONES, use_bias=True)
    layer.build((None, 1, 1, 12))
    kernels = [np.array([[2.0], [3.0]])] + [np.array([[float(k)]]) for k in range(1, 11)]
    layer.set_weights([*kernels, np.arange(11.0)])
    x = np.ones((1, 1, 1, 12), np.float32)
    x[..., 1] = 10
    # The first joint: 2 * 1 + 3 * 10 + bias 0; joint k: k * 1 + bias k.
    np.testing.assert_allclose(np.asarray(layer(x))[0, 0, 0], [32, *[2 * k for k in range(1, 11)]])


def test_regression_of_known_kernels():
    layer = JointwiseRegression(ONES)
    layer.build((None, 1, 2, 11))
    kernels = [np.array([[1.0, 0.0], [0.0, k]]) for k in range(11)]
    layer.set_weights([*kernels, np.zeros(22)])
    x = np.stack([np.full(11, 5.0), np.full(11, 7.0)])[None, None].astype(np.float32)
    # x is the left position's 5, y is k times the right position's 7.
    np.testing.assert_allclose(np.asarray(layer(x))[0], [[5, 7 * k] for k in range(11)])


def test_weights_are_named_after_joints():
    layer = JointwiseConvolution(ONES, ONES)
    layer.build((None, 4, 4, 11))
    assert [weight.name for weight in layer.weights] == [f"kernel_{joint}" for joint in JOINTS]


@pytest.mark.parametrize("filters", [(3,) * 11, ONES])
def test_convolution_and_gradients_equal_those_of_eleven_convolutions(filters):
    """Both implementations are covered: several products, and one product where each joint has one filter."""
    rng = np.random.default_rng(0)
    layer = JointwiseConvolution((5,) * 11, filters, use_bias=True)
    layer.build((None, 4, 3, 55))
    x = tf.constant(rng.normal(size=(2, 4, 3, 55)).astype(np.float32))

    def eleven_convolutions(x):
        products = [x[..., 5 * k : 5 * k + 5] @ kernel.value for k, kernel in enumerate(layer.kernels)]
        return tf.concat(products, -1) + layer.bias

    results = []
    for function in (layer, eleven_convolutions):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
            score = tf.reduce_sum(y**2)
        results.append([y, *tape.gradient(score, [x, *(weight.value for weight in layer.weights)])])
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_final_equals_a_model_with_eleven_branches(repository):
    """This includes outputs and gradients of a training step, down to the last backbone block."""
    path = repository / "benchmarks" / "training.py"
    spec = importlib.util.spec_from_file_location("training_benchmark", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    keras.utils.set_random_seed(0)
    final = models.build("final", 64, 0.25, momentum=0.0)
    crops = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3)).astype(np.float32)
    final(crops, training=True)
    branches = script.with_branches(final)
    np.testing.assert_allclose(branches(crops, training=False), final(crops, training=False), rtol=0, atol=1e-5)
    results = []
    for model in (final, branches):
        kernels = [model.get_layer(name).kernel.value for name in ("conv_pw_11", "block_28_pw", "skip_28_pw")]
        with tf.GradientTape() as tape:
            y = model(crops, training=True)
            score = tf.reduce_mean(y**2)
        results.append([y, *tape.gradient(score, kernels)])
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
