"""Initial weights of all layers, matched by layer name, from intact and from unusable files."""

import logging

import keras
import numpy as np
import pytest
from support.mobilenet_weights import SIZE, WIDTH, build

from splitpose.errors import InputError
from splitpose.models.weights import load_initial_weights

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def trained():
    """Return a final variant with distinct weights in every layer, as after training."""
    model = build("final")
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, weight.shape).astype(np.float32) for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def trained_file(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "final.weights.h5"
    trained.save_weights(path)
    return path


def weights_of(model):
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def assert_rejected(path, message, name="final", width=WIDTH):
    """Check that the file is rejected with one line and that the model is unchanged."""
    model = build(name, width)
    before = model.get_weights()
    with pytest.raises(InputError, match=message) as raised:
        load_initial_weights(model, path)
    assert "\n" not in str(raised.value)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def test_all_layers_of_the_same_variant_are_loaded(trained, trained_file, caplog):
    model = build("final")
    with caplog.at_level(logging.INFO, "splitpose"):
        layers = load_initial_weights(model, trained_file)
    assert layers.new == []
    assert layers.loaded == list(weights_of(model))
    for a, b in zip(trained.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert caplog.messages == [f"initial weights: {len(layers.loaded)} layers loaded, 0 new"]


def test_the_head_of_another_variant_is_new(trained, trained_file, caplog):
    model = build("baseline")
    before = weights_of(model)
    with caplog.at_level(logging.INFO, "splitpose"):
        layers = load_initial_weights(model, trained_file)
    assert "conv_pw_11_bn" in layers.loaded and "conv_pw_12" in layers.new
    assert layers.new[-1] == list(before)[-1]  # the dense layer
    after = weights_of(model)
    for name in layers.loaded:  # also the batch-norm statistics
        for a, b in zip(after[name], trained.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    for name in layers.new:
        assert all((a == b).all() for a, b in zip(before[name], after[name], strict=True))
    assert f"{len(layers.new)} new (conv_dw_12, conv_dw_12_bn, " in caplog.messages[0]
    assert " layers of the file not used (" in caplog.messages[1]


def test_another_split_of_the_head_has_a_new_layer(trained_file):
    keras.utils.set_random_seed(0)
    from splitpose import models

    model = models.build("final", SIZE, WIDTH, split="shared")
    layers = load_initial_weights(model, trained_file)
    assert "split_pw" in layers.new and "heatmaps" in layers.loaded


def test_weights_of_another_width_are_reported(trained_file):
    assert_rejected(
        trained_file,
        r"model.initial_weights: \S+final.weights.h5: weights of another model.width_multiplier \(conv1 has "
        r"3x3x3x8, but 3x3x3x16 is required\); use weights of this width, or null to start from scratch",
        width=0.5,
    )


def test_weights_of_another_network_are_reported(tmp_path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(tmp_path / "x.weights.h5")
    message = r"x.weights.h5: has no layer of final; use a weights file of a variant, or null"
    assert_rejected(tmp_path / "x.weights.h5", message)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_reported_with_the_layer(tmp_path, value):
    model = build("final")
    statistics = model.get_layer("conv_pw_3_bn").get_weights()
    statistics[2][0] = value
    model.get_layer("conv_pw_3_bn").set_weights(statistics)
    model.save_weights(tmp_path / "x.weights.h5")
    assert_rejected(tmp_path / "x.weights.h5", r"x.weights.h5: conv_pw_3_bn contains NaN or infinity")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"PK\x03\x04" + bytes(500)])
def test_file_of_another_format_is_rejected(tmp_path, content):
    (tmp_path / "x.h5").write_bytes(content)
    assert_rejected(tmp_path / "x.h5", r"model.initial_weights: \S+x.h5: not a weights file, or damaged \(.*\)")
