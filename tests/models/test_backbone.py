import keras
import numpy as np
import pytest

from splitpose import models
from splitpose.models import registry
from splitpose.models.backbone import backbone_layers, freeze, frozen_layers, recalibrate_batch_norm, unfreeze
from splitpose.models.weights import load_backbone
from splitpose.training.loss import joint_loss


def test_the_trunk_is_kerass_mobilenet(tmp_path):
    """With the same weights it computes the same, so ImageNet's weights mean what they mean there."""
    keras.utils.set_random_seed(0)
    donor = keras.applications.MobileNet(include_top=False, alpha=0.25, weights=None, input_shape=(224, 224, 3))
    donor.save_weights(tmp_path / "donor.weights.h5")
    model = models.build("baseline", 224, 0.25)
    load_backbone(model, str(tmp_path / "donor.weights.h5"), 0.25)
    crops = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype(np.float32)
    last = keras.Model(model.input, model.get_layer("conv_pw_13_relu").output)
    wanted = donor(crops / 127.5 - 1, training=False)
    np.testing.assert_allclose(last(crops, training=False), wanted, rtol=1e-4, atol=1e-6 * np.abs(wanted).max())


def test_final_has_the_blocks_up_to_eleven():
    assert {number for _, number in backbone_layers(models.build("final", 64, 0.25))} == set(range(12))
    assert {number for _, number in backbone_layers(models.build("split", 64, 0.25))} == set(range(14))


def test_a_settled_trunk_passes_its_signal_on():
    """Unsettled, a random trunk's last block gives less than a hundredth of what it gives when it trains."""
    keras.utils.set_random_seed(0)
    model = models.build("baseline", 64, 0.25, momentum=0.99)
    crops = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3)).astype(np.float32)
    last = keras.Model(model.input, model.get_layer("conv_pw_13_relu").output)
    bright = np.mean(last(crops, training=True))
    assert np.mean(last(crops, training=False)) < 0.01 * bright
    recalibrate_batch_norm(model, [crops] * 20)
    assert np.mean(last(crops, training=False)) == pytest.approx(bright, rel=0.1)
    assert model.get_layer("conv1_bn").momentum == 0.99


def test_what_is_frozen_by_hand():
    """The stem's convolution and BatchNorm, two of each a block; final's block 11 receives the skip, and trains."""
    model = models.build("baseline", 64, 0.25)
    freeze(model, models.get_variant("baseline").TRAINABLE_BACKBONE_BLOCKS)
    assert [frozen for _, frozen in frozen_layers(model)] == [True] * (2 + 13 * 4) + [False]
    assert frozen_layers(model)[:2] == [("conv1", True), ("conv1_bn", True)]
    assert frozen_layers(model)[-1] == ("points", False)
    model = models.build("final", 64, 0.25)
    freeze(model, models.get_variant("final").TRAINABLE_BACKBONE_BLOCKS)
    assert sum(frozen for _, frozen in frozen_layers(model)) == 2 + 10 * 4
    trains = {
        name.removesuffix("_bn").removesuffix("_dw").removesuffix("_pw")
        for name, frozen in frozen_layers(model)
        if not frozen
    }
    assert trains == {"conv_dw_11", "conv_pw_11", "skip_14", "block_28", "skip_28", "split", "heatmaps"}
    unfreeze(model)
    assert not any(frozen for _, frozen in frozen_layers(model))


@pytest.mark.parametrize("name", registry.list_variants())
def test_in_a_frozen_step_every_weight_stands_or_moves_as_listed(name):
    """BatchNorm's statistics are weights too: of a frozen layer they stand, of another they move."""
    keras.utils.set_random_seed(0)
    model = models.build(name, 64, 0.25, momentum=0.5)
    crops = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3)).astype(np.float32)
    recalibrate_batch_norm(model, [crops] * 5)
    freeze(model, models.get_variant(name).TRAINABLE_BACKBONE_BLOCKS)
    model.compile(keras.optimizers.Adam(1e-2), joint_loss(models.build_codec(name, 64)))
    before = {layer.name: layer.get_weights() for layer in model.layers}
    model.train_on_batch(crops, np.random.default_rng(1).uniform(0, 63, (8, 11, 2)).astype(np.float32))
    for layer, frozen in frozen_layers(model):
        weights = model.get_layer(layer).weights
        for weight, old in zip(weights, before[layer], strict=True):
            assert (np.asarray(weight) == old).all() == frozen, weight.path
