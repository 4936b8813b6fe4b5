import keras
import numpy as np
import pytest

from splitpose import models
from splitpose.models.trunk import settle, trunk_layers
from splitpose.models.weights import load_trunk


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
