"""The contract of every variant: size, shapes, saving, learning, conversion and isolation of the joints."""

import ast
from pathlib import Path

import keras
import numpy as np
import pytest

from splitpose import models
from splitpose.benchmark.targets.device_runner import inspect_delegation
from splitpose.errors import InputError
from splitpose.export.tflite import convert_to_tflite
from splitpose.inference.runtime import Runtime
from splitpose.models import registry
from splitpose.models.layers.backbone import backbone_layers, freeze_backbone
from splitpose.models.layers.batch_norm import BatchNorm
from splitpose.models.layers.jointwise import with_export_layers
from splitpose.models.macs import count_macs
from splitpose.models.weights import load_backbone_weights
from splitpose.training.loss import joint_loss

pytestmark = pytest.mark.integration

SIZE, WIDTH = 64, 0.25
VARIANTS = registry.list_variants()


def crops(count, size=SIZE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3)).astype(np.float32)


@pytest.fixture(scope="module", params=VARIANTS)
def model(request):
    """Return a small model whose BatchNorm statistics are those of crops, as in a trained model."""
    keras.utils.set_random_seed(3)
    small = models.build(request.param, SIZE, WIDTH, momentum=0.0)
    small(crops(16), training=True)
    return small


def test_variants_of_the_paper_exist():
    assert set(VARIANTS) >= {"baseline", "no_gap", "split", "final"}


@pytest.mark.parametrize(
    ("name", "split", "parameters", "million_macs"),
    [
        ("baseline", "sliced", 3_251_414, 568),
        ("no_gap", "sliced", 4_332_758, 569),
        ("split", "sliced", 3_329_238, 568),
        ("final", "sliced", 2_118_827, 731),
        ("final", "shared", 2_177_483, 915),
        ("mobilenet_v3", "sliced", 116_123, 57),
        ("mobilenet_v3", "shared", 144_283, 146),
    ],
)
def test_parameters_and_macs_at_full_size(name, split, parameters, million_macs):
    model = models.build(name, split=split)
    assert model.count_params() == parameters
    assert round(count_macs(model) / 1e6) == million_macs
    assert model.output.shape[1:] == ((11, 2) if models.get_variant(name).CODEC == "coordinates" else (56, 56, 11))


def test_output_matches_the_codec(model):
    codec = models.build_codec(model.name, SIZE)
    outputs = np.asarray(model(crops(2), training=False))
    joints = codec.decode(outputs)
    assert joints.shape == (2, 11, 2)
    assert np.asarray(codec.encode(joints)).shape == outputs.shape


def test_same_seed_results_in_same_weights():
    for name in VARIANTS:
        keras.utils.set_random_seed(5)
        first = models.build(name, SIZE, WIDTH).get_weights()
        keras.utils.set_random_seed(5)
        second = models.build(name, SIZE, WIDTH).get_weights()
        assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_saved_weights_are_reproducible_and_loadable(model, tmp_path):
    paths = [tmp_path / "a.weights.h5", tmp_path / "b.weights.h5"]
    for path in paths:
        model.save_weights(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    other = models.load_weights(models.build(model.name, SIZE, WIDTH), paths[0])
    np.testing.assert_allclose(other(crops(2), training=False), model(crops(2), training=False), atol=1e-6)


def test_whole_model_is_saved_and_loaded(model, tmp_path):
    model.save(tmp_path / "model.keras")
    other = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(other(crops(2), training=False), model(crops(2), training=False), atol=1e-6)


def test_weights_of_another_model_are_rejected(tmp_path):
    models.build("baseline", SIZE, WIDTH).save_weights(tmp_path / "x.weights.h5")
    with pytest.raises(InputError, match=r"x.weights.h5: not weights of final"):
        models.load_weights(models.build("final", SIZE, WIDTH), tmp_path / "x.weights.h5")
    (tmp_path / "y.weights.h5").write_bytes(b"not HDF5")
    with pytest.raises(InputError, match=r"y.weights.h5: not weights of final"):
        models.load_weights(models.build("final", SIZE, WIDTH), tmp_path / "y.weights.h5")


def test_training_steps_lower_the_loss(model):
    keras.utils.set_random_seed(7)
    learner = models.build(model.name, SIZE, WIDTH, momentum=0.5)
    learner.compile(keras.optimizers.Adam(1e-2), joint_loss(models.build_codec(model.name, SIZE)))
    joints = np.random.default_rng(1).uniform(0, SIZE - 1, (8, 11, 2)).astype(np.float32)
    losses = [learner.train_on_batch(crops(8), joints) for _ in range(8)]
    assert losses[-1] < 0.8 * losses[0]


def test_frozen_backbone_keeps_its_weights(model):
    learner = models.build(model.name, SIZE, WIDTH, momentum=0.5)
    trainable_blocks = models.get_variant(model.name).TRAINABLE_BACKBONE_BLOCKS
    freeze_backbone(learner, trainable_blocks)
    learner.compile(keras.optimizers.Adam(1e-2), joint_loss(models.build_codec(model.name, SIZE)))
    before = {layer.name: layer.get_weights() for layer in learner.layers}
    joints = np.full((4, 11, 2), 20, np.float32)
    learner.train_on_batch(crops(4), joints)
    changed = {
        layer.name
        for layer in learner.layers
        if any((a != b).any() for a, b in zip(before[layer.name], layer.get_weights(), strict=True))
    }
    frozen = {layer.name for layer, number in backbone_layers(learner) if number not in trainable_blocks}
    with_weights = {layer.name for layer in learner.layers if layer.weights}
    assert changed == with_weights - frozen
    assert len(frozen & with_weights) > len(changed)


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_tflite_outputs_equal_those_of_keras(model, precision, tmp_path):
    calibration = crops(16).astype(np.uint8)
    contents = [convert_to_tflite(model, precision, calibration) for _ in range(2)]
    assert contents[0] == contents[1]
    path = tmp_path / "model.tflite"
    path.write_bytes(contents[0])
    runtime = Runtime(path)
    outputs, expected = runtime.run(calibration[:4]), np.asarray(model(crops(16)[:4], training=False))
    spread = expected.max() - expected.min()
    # Untrained filters respond to noise, which int8 represents badly: only gross errors are detected here.
    tolerance = {"float32": 1e-4, "float16": 0.05, "int8": 0.6}[precision]
    assert np.abs(outputs - expected).max() <= tolerance * spread
    assert inspect_delegation(runtime._interpreter) == (1, [])
    assert runtime.size == SIZE


def test_export_layers_compute_the_same(model):
    exported = with_export_layers(model)
    np.testing.assert_allclose(exported(crops(3), training=False), model(crops(3), training=False), atol=1e-4)


@pytest.mark.parametrize("name", ["split", "final", "mobilenet_v3"])
def test_gradient_of_a_joint_reaches_no_weights_of_other_joints(name):
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    model = models.build(name, SIZE, WIDTH)
    layers = [layer for layer in model.layers if hasattr(layer, "kernels")]
    assert layers
    for joint in range(11):
        with tf.GradientTape() as tape:
            outputs = model(crops(4), training=True)
            joint_outputs = outputs[:, joint] if outputs.shape.rank == 3 else outputs[..., joint]
            score = tf.reduce_sum(joint_outputs**2)
        for layer, gradients in zip(layers, tape.gradient(score, [layer.kernels for layer in layers]), strict=True):
            reached = [k for k, gradient in enumerate(gradients) if gradient is not None and np.any(gradient != 0)]
            assert reached == [joint], f"{layer.name}: joint {joint} reaches {reached}"


@pytest.mark.parametrize("name", VARIANTS)
def test_variant_imports_no_other_variant(name):
    """DVC tracks a variant's own module and the modules that all variants share."""
    tree = ast.parse(Path(models.get_variant(name).__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported.isdisjoint(f"splitpose.models.variants.{other}" for other in VARIANTS)


def test_mobilenet_v3_equals_the_network_of_keras(tmp_path):
    """With the same weights its backbone computes the same, including the scaling of pixels."""
    keras.utils.set_random_seed(0)
    donor = keras.applications.MobileNetV3Small(
        input_shape=(SIZE, SIZE, 3), alpha=WIDTH, minimalistic=True, include_top=False, weights=None
    )
    donor(crops(16), training=True)
    donor.save_weights(tmp_path / "donor.weights.h5")
    model = models.build("mobilenet_v3", SIZE, WIDTH, momentum=0.7)
    load_backbone_weights(model, tmp_path / "donor.weights.h5", WIDTH)
    assert {number for _, number in backbone_layers(model)} == set(range(8))
    layer = "expanded_conv_7_add"
    outputs, expected = (
        keras.Model(network.input, network.get_layer(layer).output)(crops(2), training=False)
        for network in (model, donor)
    )
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {type(norm) for norm in norms} == {BatchNorm}
    assert {norm.momentum for norm in norms} == {0.7}


def test_unknown_variant_is_reported():
    with pytest.raises(
        InputError, match=r"variants: unknown variant 'finale'; available: baseline, final, mobilenet_v3, no_gap, "
    ):
        models.build("finale")


@pytest.mark.parametrize("name", ["backbone", "registry", "a.b", ""])
def test_other_modules_are_not_variants(name):
    with pytest.raises(InputError, match="unknown variant"):
        models.get_variant(name)


@pytest.mark.parametrize("size", [0, -32, 100])
def test_size_must_be_a_multiple_of_32(size):
    with pytest.raises(InputError, match=rf"crops.size: {size} is not a multiple of 32"):
        models.build("baseline", size=size)


@pytest.mark.parametrize(("size", "width"), [(32, 0.05), (96, 0.35), (160, 1.4)])
def test_any_size_and_width(size, width):
    for name in VARIANTS:
        model = models.build(name, size, width)
        assert model.input.shape == (None, size, size, 3)


def test_joint_split_is_ignored_by_variants_without_one():
    assert (
        models.build("baseline", SIZE, WIDTH, split="shared").count_params()
        == models.build("baseline", SIZE, WIDTH).count_params()
    )
