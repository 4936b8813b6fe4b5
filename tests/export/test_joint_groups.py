import keras
import numpy as np
import pytest

from splitpose import models
from splitpose.export.joint_groups import GROUPS, split_into_groups
from splitpose.models import registry
from splitpose.models.layers.jointwise import with_export_layers
from splitpose.skeleton import JOINTS

pytestmark = pytest.mark.integration


def build(name, split="sliced"):
    """Return a variant whose batch-norm statistics are those of noise, and some crops."""
    keras.utils.set_random_seed(0)
    model = models.build(name, 64, 0.25, momentum=0.0, split=split)
    crops = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3)).astype(np.float32)
    model(crops, training=True)
    return model, crops


def test_every_joint_is_in_a_group():
    assert sum(GROUPS) == len(JOINTS)


@pytest.mark.parametrize("name", registry.list_variants())
@pytest.mark.parametrize("split", ["sliced", "shared"])
def test_the_function_is_unchanged(name, split):
    model, crops = build(name, split)
    grouped = split_into_groups(model, with_export_layers(model))
    outputs = np.asarray(model(crops, training=False))
    np.testing.assert_allclose(grouped(crops, training=False), outputs, rtol=0, atol=1e-6)
    assert np.ptp(outputs, axis=0).max() > 1e-4  # the outputs depend on the crops


def test_after_the_split_a_kernel_has_only_the_channels_of_its_group():
    model, _ = build("final")
    channels = model.get_layer("split_pw").channels
    grouped = split_into_groups(model, with_export_layers(model))
    first, last = channels[0] + channels[1], sum(channels[8:])
    assert grouped.get_layer("split_pw_0").kernel.shape == (1, 1, first, first)
    assert grouped.get_layer("heatmaps_0").kernel.shape == (1, 1, first, 2)
    assert grouped.get_layer("split_dw_4").kernel.shape == (3, 3, last, 1)
    assert grouped.get_layer("heatmaps_4").kernel.shape == (1, 1, last, 3)


def test_variants_without_the_split_are_unchanged():
    for name, split in (("baseline", "sliced"), ("split", "sliced"), ("final", "shared")):
        model, _ = build(name, split)
        export_model = with_export_layers(model)
        assert split_into_groups(model, export_model) is export_model
