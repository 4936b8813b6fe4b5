import keras
import numpy as np
import pytest

from splitpose import models
from splitpose.errors import InputError
from splitpose.models.trunk import load_trunk, settle, trunk_layers


def test_the_trunk_is_kerass_mobilenet(tmp_path):
    """With the same weights it computes the same, so ImageNet's weights mean what they mean there."""
    keras.utils.set_random_seed(0)
    donor = keras.applications.MobileNet(include_top=False, alpha=0.25, weights=None, input_shape=(224, 224, 3))
    donor.save_weights(tmp_path / "donor.weights.h5")
    model = models.build("baseline", 224, 0.25)
    load_trunk(model, str(tmp_path / "donor.weights.h5"), 0.25)
    crops = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype(np.float32)
    last = keras.Model(model.input, model.get_layer("conv_pw_13_relu").output)
    wanted = donor(crops / 127.5 - 1, training=False)
    np.testing.assert_allclose(last(crops, training=False), wanted, rtol=1e-4, atol=1e-6 * np.abs(wanted).max())


def test_final_has_the_blocks_up_to_eleven():
    assert {number for _, number in trunk_layers(models.build("final", 64, 0.25))} == set(range(12))
    assert {number for _, number in trunk_layers(models.build("split", 64, 0.25))} == set(range(14))


def test_a_missing_weights_file_is_named():
    with pytest.raises(InputError, match=r"model.trunk: nowhere.h5: no such file; give random, imagenet or"):
        load_trunk(models.build("baseline", 64, 0.25), "nowhere.h5", 0.25)


def test_without_a_network_the_way_out_is_told(monkeypatch):
    def no_network(*_, **__):
        raise Exception("URL fetch failure on https://example.invalid: None\n-- no network")

    monkeypatch.setattr(keras.applications, "MobileNet", no_network)
    with pytest.raises(InputError, match=r"model.trunk: imagenet: URL fetch failure .* give the path of") as raised:
        load_trunk(models.build("baseline", 64, 0.25), "imagenet", 0.25)
    assert "\n" not in str(raised.value)


def test_a_settled_trunk_passes_its_signal_on():
    """Unsettled, a random trunk's last block gives less than a hundredth of what it gives when it trains."""
    keras.utils.set_random_seed(0)
    model = models.build("baseline", 64, 0.25, momentum=0.99)
    crops = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3)).astype(np.float32)
    last = keras.Model(model.input, model.get_layer("conv_pw_13_relu").output)
    bright = np.mean(last(crops, training=True))
    assert np.mean(last(crops, training=False)) < 0.01 * bright
    settle(model, [crops] * 20)
    assert np.mean(last(crops, training=False)) == pytest.approx(bright, rel=0.1)
    assert model.get_layer("conv1_bn").momentum == 0.99
