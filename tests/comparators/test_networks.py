"""The comparators against their published sizes."""

from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from support import narrow_openpose

from splitpose.benchmark.measure import measure
from splitpose.benchmark.targets import BenchmarkOptions
from splitpose.benchmark.targets.local import Local
from splitpose.comparators import squeezenet, stacked_hourglass
from splitpose.comparators.conversion import Network, build_with_random_weights, convert_networks
from splitpose.comparators.registry import COMPARATORS

pytestmark = pytest.mark.integration

TINY = {
    "squeezenet": Network(partial(squeezenet.build, classes=10), 64),
    "openpose": Network(narrow_openpose.build, 32),
    "stacked_hourglass": Network(partial(stacked_hourglass.build, stacks=2, features=16), 64),
}


def trainable_parameters(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_squeezenet_has_its_published_size() -> None:
    model = COMPARATORS["SqueezeNet 1.1"].build(224)
    assert model.count_params() == 1_235_496
    assert model.output_shape == (None, 1000)
    pooled = [layer.output.shape[1] for layer in model.layers if isinstance(layer, keras.layers.MaxPooling2D)]
    assert pooled == [55, 27, 13]


def test_openpose_has_its_published_size() -> None:
    model = COMPARATORS["OpenPose"].build(368)
    assert model.count_params() == 52_311_446
    assert model.output_shape == [(None, 46, 46, 38), (None, 46, 46, 19)]


def test_eight_hourglasses_have_their_published_size() -> None:
    model = COMPARATORS["Hourglass, 8 stacks"].build(256)
    assert trainable_parameters(model) == pytest.approx(25.1e6, rel=0.02)
    assert model.output_shape == (None, 64, 64, 16)


def test_each_stack_adds_the_same_number_of_parameters() -> None:
    two, three, four = (
        trainable_parameters(stacked_hourglass.build(64, stacks, features=16)) for stacks in (2, 3, 4)
    )
    assert three - two == four - three


def test_parameters_of_a_residual_module() -> None:
    inputs = keras.Input((8, 8, 256))
    model = keras.Model(inputs, stacked_hourglass._residual(inputs, 256))
    convolutions = (256 * 128 + 128) + (9 * 128 * 128 + 128) + (128 * 256 + 256)
    assert trainable_parameters(model) == convolutions + 2 * (256 + 128 + 128)


def test_upsampling_is_nearest_neighbour() -> None:
    inputs = keras.Input((2, 3, 4))
    model = keras.Model(inputs, stacked_hourglass._upsample(inputs))
    values = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
    expected = values.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(model(values), expected)


@pytest.mark.parametrize(
    ("name", "millions"),
    [("MobileNet v2", 3.54), ("MobileNet v3 small", 2.55), ("MobileNet v3 large", 5.51), ("DenseNet-121", 8.06)],
)
def test_keras_classifiers_have_their_published_sizes(name: str, millions: float) -> None:
    comparator = COMPARATORS[name]
    model = comparator.build(comparator.size)
    assert model.count_params() / 1e6 == pytest.approx(millions, abs=0.005)
    assert model.input_shape == (None, 224, 224, 3)
    assert model.output_shape == (None, 1000)


def test_every_comparator_names_its_paper() -> None:
    assert {comparator.kind for comparator in COMPARATORS.values()} == {"classifier", "pose"}
    assert all(2015 <= comparator.year <= 2019 and comparator.paper for comparator in COMPARATORS.values())


def test_activations_neither_vanish_nor_explode() -> None:
    # At 64 px, the innermost feature map would have one pixel, whose deviation is zero.
    model = build_with_random_weights(Network(TINY["stacked_hourglass"].build, 128))
    noise = np.random.default_rng(7).uniform(0, 255, (1, 128, 128, 3)).astype(np.float32)
    norms = [layer.output for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    deviations = [float(np.std(value)) for value in keras.Model(model.input, norms)(noise)]
    assert len(deviations) > 50
    assert min(deviations) > 0.1
    assert max(deviations) < 10


def test_small_networks_are_converted_and_fully_delegated(tmp_path: Path) -> None:
    converted = convert_networks(TINY, tmp_path)
    assert list(converted) == list(TINY)
    assert converted["openpose"].parameters == narrow_openpose.build(32).count_params()
    paths = {name: network.path for name, network in converted.items()}
    models = measure(Local(), paths, BenchmarkOptions(runs=2, warmup_runs=1)).models
    outside = {name: model.outside_delegate for name, model in models.items()}
    assert outside == {name: [] for name in TINY}
    assert all(model.fully_delegated for model in models.values())
