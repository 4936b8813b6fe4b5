import keras
import numpy as np
import pytest

from splitpose import models
from splitpose.models import registry
from splitpose.models.layers.backbone import (
    backbone_layers,
    freeze_backbone,
    freeze_layers,
    group_by_trainable,
    recalibrate_batch_norm,
    unfreeze,
)
from splitpose.models.weights import load_backbone_weights
from splitpose.training.loss import joint_loss

pytestmark = pytest.mark.integration


def test_backbone_equals_keras_mobilenet(tmp_path):
    """With the same weights it computes the same, so that ImageNet weights are valid for it."""
    keras.utils.set_random_seed(0)
    donor = keras.applications.MobileNet(include_top=False, alpha=0.25, weights=None, input_shape=(224, 224, 3))
    donor.save_weights(tmp_path / "donor.weights.h5")
    model = models.build("baseline", 224, 0.25)
    load_backbone_weights(model, tmp_path / "donor.weights.h5", 0.25)
    crops = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype(np.float32)
    last = keras.Model(model.input, model.get_layer("conv_pw_13_relu").output)
    expected = donor(crops / 127.5 - 1, training=False)
    np.testing.assert_allclose(last(crops, training=False), expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())


def test_final_has_the_blocks_up_to_eleven():
    assert {number for _, number in backbone_layers(models.build("final", 64, 0.25))} == set(range(12))
    assert {number for _, number in backbone_layers(models.build("split", 64, 0.25))} == set(range(14))


def test_recalibrated_backbone_preserves_its_signal():
    """Without recalibration, the outputs of a random backbone are less than a hundredth of those in training."""
    keras.utils.set_random_seed(0)
    model = models.build("baseline", 64, 0.25, momentum=0.99)
    crops = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3)).astype(np.float32)
    last = keras.Model(model.input, model.get_layer("conv_pw_13_relu").output)
    mean_in_training = np.mean(last(crops, training=True))
    assert np.mean(last(crops, training=False)) < 0.01 * mean_in_training
    recalibrate_batch_norm(model, [crops] * 20)
    assert np.mean(last(crops, training=False)) == pytest.approx(mean_in_training, rel=0.1)
    assert model.get_layer("conv1_bn").momentum == 0.99


def test_loaded_layers_are_frozen_except_trainable_blocks():
    """All layers of final but the last one were loaded; its block 11 stays trainable."""
    model = models.build("final", 64, 0.25)
    unfreeze(model)
    names = [layer.name for layer in model.layers if layer.name != "heatmaps"]
    freeze_layers(model, names, (11,))
    _, trainable = group_by_trainable(model)
    assert trainable == ["conv_dw_11", "conv_dw_11_bn", "conv_pw_11", "conv_pw_11_bn", "heatmaps"]
    freeze_layers(model, ["conv1"], ())
    assert group_by_trainable(model)[0] == ["conv1"]


def test_frozen_layers_of_baseline_and_final():
    """The stem has a convolution and a BatchNorm layer, each block two of both; final's block 11 is trainable."""
    model = models.build("baseline", 64, 0.25)
    freeze_backbone(model, models.get_variant("baseline").TRAINABLE_BACKBONE_BLOCKS)
    frozen, trainable = group_by_trainable(model)
    assert len(frozen) == 2 + 13 * 4
    assert frozen[:2] == ["conv1", "conv1_bn"]
    assert trainable == ["points"]
    model = models.build("final", 64, 0.25)
    freeze_backbone(model, models.get_variant("final").TRAINABLE_BACKBONE_BLOCKS)
    frozen, trainable = group_by_trainable(model)
    assert len(frozen) == 2 + 10 * 4
    blocks = {name.removesuffix("_bn").removesuffix("_dw").removesuffix("_pw") for name in trainable}
    assert blocks == {"conv_dw_11", "conv_pw_11", "skip_14", "block_28", "skip_28", "split", "heatmaps"}
    unfreeze(model)
    assert group_by_trainable(model)[0] == []


@pytest.mark.parametrize("name", registry.list_variants())
def test_frozen_step_changes_the_weights_of_trainable_layers_only(name):
    """BatchNorm's moving statistics are also weights: a frozen layer keeps them, a trainable layer updates them."""
    keras.utils.set_random_seed(0)
    model = models.build(name, 64, 0.25, momentum=0.5)
    crops = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3)).astype(np.float32)
    recalibrate_batch_norm(model, [crops] * 5)
    freeze_backbone(model, models.get_variant(name).TRAINABLE_BACKBONE_BLOCKS)
    model.compile(keras.optimizers.Adam(1e-2), joint_loss(models.build_codec(name, 64)))
    before = {layer.name: layer.get_weights() for layer in model.layers}
    model.train_on_batch(crops, np.random.default_rng(1).uniform(0, 63, (8, 11, 2)).astype(np.float32))
    frozen, trainable = group_by_trainable(model)
    for layer in [*frozen, *trainable]:
        for weight, old in zip(model.get_layer(layer).weights, before[layer], strict=True):
            assert (np.asarray(weight) == old).all() == (layer in frozen), weight.path
