"""Weights files of keras.applications' MobileNet, and helpers of the tests of backbone weights."""

from functools import cache
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from splitpose import models
from splitpose.errors import InputError
from splitpose.models.layers.backbone import backbone_layers
from splitpose.models.weights import load_backbone_weights

SIZE, WIDTH = 64, 0.25


def mobilenet(top: bool = False, width: float = WIDTH) -> keras.Model:
    """Return the network with random weights, also of BatchNorm, so that mixed-up weights are detected."""
    keras.utils.set_random_seed(1)
    network = keras.applications.MobileNet(
        include_top=top, alpha=width, weights=None, input_shape=(SIZE, SIZE, 3), classes=7
    )
    rng = np.random.default_rng(0)
    network.set_weights([w if w.ndim == 4 else rng.uniform(0.5, 1.5, w.shape) for w in network.get_weights()])
    return network


def write_keras2_h5(network: keras.Model, path: Path, root: str | None = None) -> Path:
    """Write weights as Keras 2 did: a group per layer, whose weights' names are bytes and end in ":0"."""
    with h5py.File(path, "w") as file:
        folder = file.create_group(root) if root else file
        folder.attrs["layer_names"] = np.array([layer.name.encode() for layer in network.layers])
        for layer in network.layers:
            group = folder.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0".encode() for weight in layer.weights]
            group.attrs["weight_names"] = np.array(names, "S") if names else np.zeros(0, "S1")
            for name, weight in zip(names, layer.get_weights(), strict=True):
                group[name.decode()] = weight
    return path


def build(name: str = "baseline", width: float = WIDTH) -> keras.Model:
    keras.utils.set_random_seed(0)
    return models.build(name, SIZE, width)


def assert_same_backbone(model: keras.Model, donor: keras.Model) -> None:
    for layer, _ in backbone_layers(model):
        for actual, expected in zip(layer.get_weights(), donor.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(actual, expected)


@cache
def _unchanged_model(width: float) -> tuple[keras.Model, list[np.ndarray]]:
    """Return a model for the tests that must not change it, with its weights."""
    baseline = build(width=width)
    return baseline, baseline.get_weights()


def assert_rejected(path: Path, message: str, width: float = WIDTH) -> None:
    """Check that the file is rejected with one line and that the model is unchanged."""
    baseline, before = _unchanged_model(width)
    with pytest.raises(InputError, match=message) as raised:
        load_backbone_weights(baseline, path, width)
    assert "\n" not in str(raised.value)
    assert all((a == b).all() for a, b in zip(before, baseline.get_weights(), strict=True))
