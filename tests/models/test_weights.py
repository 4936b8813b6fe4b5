"""Backbone weights from files of all formats, intact and damaged."""

import hashlib
import logging

import keras
import numpy as np
import pytest
from support.mobilenet_weights import (
    SIZE,
    WIDTH,
    assert_rejected,
    assert_same_backbone,
    build,
    mobilenet,
    write_keras2_h5,
)

from splitpose.errors import InputError
from splitpose.models.layers.backbone import backbone_layers
from splitpose.models.weights import load_backbone_weights

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def donor():
    return mobilenet()


@pytest.fixture(scope="module")
def donor_file(donor, tmp_path_factory):
    """Return the donor's weights as `.weights.h5`."""
    path = tmp_path_factory.mktemp("donor") / "donor.weights.h5"
    donor.save_weights(path)
    return path


@pytest.mark.parametrize("name", ["baseline", "final"])
@pytest.mark.parametrize("top", [False, True])
@pytest.mark.parametrize("kind", ["weights.h5", "h5", "whole.h5"])
def test_files_of_every_format_are_loaded(tmp_path, caplog, donor, name, top, kind):
    network, path = mobilenet(top) if top else donor, tmp_path / f"donor.{kind}"
    if kind == "weights.h5":
        network.save_weights(path)
    else:
        write_keras2_h5(network, path, "model_weights" if kind == "whole.h5" else None)
    model = build(name)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    with caplog.at_level(logging.INFO, "splitpose"):
        load_backbone_weights(model, path, WIDTH)
    assert_same_backbone(model, network)
    new_layers = set(before) - {layer.name for layer, _ in backbone_layers(model)}
    for layer in new_layers:
        weights = model.get_layer(layer).get_weights()
        assert all((a == b).all() for a, b in zip(before[layer], weights, strict=True))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert caplog.messages == [f"backbone weights: {path}, sha256 {digest}"]


def test_h5_of_a_whole_keras_model_is_loaded(tmp_path, donor):
    donor.save(tmp_path / "donor.h5")
    model = build()
    load_backbone_weights(model, tmp_path / "donor.h5", WIDTH)
    assert_same_backbone(model, donor)


def test_weights_of_a_variant_are_loaded_into_another(tmp_path):
    first, second = build("baseline"), build("final")
    first.get_layer("conv_pw_3").set_weights([np.full((1, 1, 32, 32), 0.5)])
    first.save_weights(tmp_path / "baseline.weights.h5")
    load_backbone_weights(second, tmp_path / "baseline.weights.h5", WIDTH)
    assert_same_backbone(second, first)


@pytest.mark.parametrize("name", ["baseline", "no_gap", "split", "final"])
def test_pixels_are_scaled_inside_the_model(donor, donor_file, name):
    """The model takes pixels in 0..255; MobileNet in keras.applications requires preprocess_input."""
    model = build(name)
    load_backbone_weights(model, donor_file, WIDTH)
    pixels = np.random.default_rng(1).integers(0, 256, (2, SIZE, SIZE, 3)).astype(np.float32)
    preprocessed = keras.applications.mobilenet.preprocess_input(pixels.copy())
    assert preprocessed.min() >= -1 and preprocessed.max() <= 1 and preprocessed.min() < -0.9
    for layer in ("conv1_relu", "conv_pw_3_relu"):  # before the final variant's own layers
        ours = keras.Model(model.input, model.get_layer(layer).output)(pixels, training=False)
        theirs = keras.Model(donor.input, donor.get_layer(layer).output)(preprocessed, training=False)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        assert np.std(ours, axis=(0, 1, 2)).max() > 0.01  # the outputs depend on the pixels
    # No other part of the model sees the unscaled pixels.
    rest = keras.Model(model.get_layer("scale_pixels").output, model.output)
    np.testing.assert_allclose(
        model(pixels, training=False), rest(preprocessed, training=False), rtol=1e-4, atol=1e-4
    )


def test_weights_of_another_width_are_reported_with_layer_and_shapes(donor_file):
    assert_rejected(
        donor_file,
        r"donor.weights.h5: conv1 has 3x3x3x8, but model.width_multiplier 0.5 requires 3x3x3x16; "
        r"use weights of this width, or set model.width_multiplier to that of",
        width=0.5,
    )


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("kind", ["weights.h5", "h5"])
def test_truncated_file_is_rejected(tmp_path, donor, share, kind):
    path = tmp_path / f"x.{kind}"
    donor.save_weights(path) if kind == "weights.h5" else write_keras2_h5(donor, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert_rejected(path, r"x.\S*h5: not a weights file, or damaged \(.*\); delete it and download it again")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><title>Sign in</title>", b"PK\x03\x04" + bytes(500)])
def test_file_of_another_format_is_rejected(tmp_path, content):
    (tmp_path / "x.h5").write_bytes(content)
    message = r"x.h5: not a weights file, or damaged \(.*\); delete it and download it again"
    assert_rejected(tmp_path / "x.h5", message)


def test_weights_of_another_network_are_rejected(tmp_path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(tmp_path / "x.weights.h5")
    assert_rejected(
        tmp_path / "x.weights.h5", r"x.weights.h5: has no layer conv1; use weights of keras.applications' Mobile"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_reported_with_the_layer(tmp_path, value):
    network = mobilenet()
    kernel = network.get_layer("conv_pw_7").get_weights()[0]
    kernel[0, 0, 3, 5] = value
    network.get_layer("conv_pw_7").set_weights([kernel])
    path = write_keras2_h5(network, tmp_path / "x.h5")
    assert_rejected(path, r"x.h5: conv_pw_7 contains NaN or infinity; delete the file")


def test_missing_file_is_reported(tmp_path):
    message = r"no such file; use random, imagenet or the path of a weights file"
    assert_rejected(tmp_path / "missing.h5", rf"missing.h5: {message}")
    assert_rejected(tmp_path, message)


def test_model_without_a_backbone_is_reported(donor_file):
    other = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten()], name="flat")
    with pytest.raises(InputError, match=r"model.backbone_weights: flat has no layers of MobileNet v1; use random"):
        load_backbone_weights(other, donor_file, WIDTH)
