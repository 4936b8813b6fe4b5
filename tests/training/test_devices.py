"""Training on several devices equals that on one, and bfloat16 is close to float32.

Run as a program, this module prints the results of one device and of two: TensorFlow fixes its devices per process.
"""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from support.training import phase_settings, training_settings

from splitpose import models
from splitpose.errors import InputError
from splitpose.models import registry
from splitpose.models.layers.backbone import freeze_backbone
from splitpose.training.devices import device_scope
from splitpose.training.loop import train
from splitpose.training.loss import joint_loss
from splitpose.training.phase import PhaseConfig, TrainingControl, TrainingData, TrainingListener, ValidationCrops

pytestmark = pytest.mark.integration

SIZE, WIDTH, BATCH, ITERATIONS = 32, 0.25, 8, 4
CASES = [
    ("final", "frozen", "float32"),
    ("mobilenet_v3", "fine_tune", "float32"),
    ("final", "fine_tune", "float64"),
]
"""Adam amplifies rounding errors where gradients are nearly zero: in float32 the losses of final
differ by 2.5e-4 in fine-tuning. In float64 only a defect would show."""


def random_crops():
    """Return 64 crops; the halves of a batch have different numbers of annotated joints."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (64, SIZE, SIZE, 3), np.uint8)
    joints = rng.uniform(4, SIZE - 4, (64, 11, 2)).astype(np.float32)
    joints[::5, 3] = np.nan
    return pixels, joints


class LossListener(TrainingListener):
    def __init__(self):
        self.losses = []

    def on_iteration(self, iteration, loss):
        self.losses.append(loss)


def train_on(devices, name, phase, precision):
    """Train a few iterations at the paper's learning rates.

    Returns:
        The training losses, the validation loss, and each device's copy of some BatchNorm statistics.
    """
    import tensorflow as tf

    pixels, joints = random_crops()
    batches = tf.data.Dataset.from_tensor_slices((pixels, joints)).batch(BATCH, drop_remainder=True).repeat()
    settings = phase_settings(iterations=ITERATIONS, learning_rate=1e-3 if phase == "frozen" else 1e-4)
    training = training_settings(
        batch_size=BATCH, devices=devices, validation_interval=ITERATIONS, **{phase: settings}
    )
    listener = LossListener()
    keras.config.set_floatx(precision)
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(2)
    with device_scope(training):
        model = models.build(name, SIZE, WIDTH, momentum=0.5)
        for layer in model.layers if precision == "float64" else []:
            layer.synchronized = True  # Keras' BatchNorm: the fused operation is float32 only
        if phase == "frozen":
            freeze_backbone(model, ())
        rows = train(
            model,
            models.build_codec(name, SIZE),
            TrainingData(batches.skip, ValidationCrops(pixels[:7], joints[:7])),
            PhaseConfig(phase, training),
            TrainingControl([listener]),
        )
    norm = next(layer for layer in reversed(model.layers) if isinstance(layer, keras.layers.BatchNormalization))
    moving = norm.moving_mean.value
    copies = [np.asarray(copy).tolist() for copy in getattr(moving, "values", [moving])]
    return {"losses": listener.losses, "val_losses": [row["val_loss"] for row in rows], "copies": copies}


@pytest.fixture(scope="module")
def results(repository):
    """Return the results of all cases, each on one device and on two."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(repository / "src"), str(repository / "tests")])}
    program = subprocess.run([sys.executable, __file__], capture_output=True, text=True, env=environment)
    assert program.returncode == 0, program.stderr[-2000:]
    return dict(zip(CASES, json.loads(program.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_two_devices_equal_one(results, case):
    one, two = results[case]
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(two["val_losses"], one["val_losses"], rtol=0, atol=1e-4)
    assert len(set(one["losses"])) == ITERATIONS
    assert (len(one["copies"]), len(two["copies"])) == (1, 2)
    for copy in two["copies"]:  # statistics of the whole batch, not of each device's half
        np.testing.assert_allclose(copy, one["copies"][0], rtol=1e-3, atol=1e-4)


def train_steps(name, count, mixed_precision):
    keras.utils.set_random_seed(3)
    pixels, joints = random_crops()
    with device_scope(training_settings(mixed_precision=mixed_precision)):
        model = models.build(name, SIZE, WIDTH, momentum=0.5)
        model.compile(keras.optimizers.Adam(1e-4), joint_loss(models.build_codec(name, SIZE)), run_eagerly=True)
        return model, [model.train_on_batch(pixels[:BATCH], joints[:BATCH]) for _ in range(count)]


@pytest.mark.parametrize("name", registry.list_variants())
def test_mixed_precision_is_close_to_float32(name, tmp_path):
    _, expected = train_steps(name, 1, mixed_precision=False)
    model, losses = train_steps(name, 2, mixed_precision=True)
    first = next(layer for layer in model.layers if layer.weights)
    assert first.compute_dtype == "bfloat16"
    assert np.isfinite(losses).all()
    assert 0 < abs(losses[0] - expected[0]) < 0.1 * expected[0]
    # Outputs and weights are float32, and the file is read without mixed precision.
    assert model(random_crops()[0][:1].astype(np.float32), training=False).dtype.name == "float32"
    model.save_weights(tmp_path / "x.weights.h5")
    loaded = models.load_weights(models.build(name, SIZE, WIDTH), tmp_path / "x.weights.h5")
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}
    assert all((a == b).all() for a, b in zip(loaded.get_weights(), model.get_weights(), strict=True))


def test_dtype_policy_is_restored():
    with pytest.raises(ZeroDivisionError), device_scope(training_settings(mixed_precision=True)):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        raise ZeroDivisionError
    assert keras.config.dtype_policy().name == "float32"


def test_missing_devices_are_reported():
    with (
        pytest.raises(InputError, match=r"training.devices: 64 requested, but this machine has [cg]pu:0"),
        device_scope(training_settings(devices=64, batch_size=64)),
    ):
        pass


if __name__ == "__main__":
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    tf.config.set_visible_devices([], "GPU")
    tf.config.experimental.enable_op_determinism()
    registry._use_float32_outputs = lambda model: None  # float64 models stay float64
    print(json.dumps([[train_on(devices, *case) for devices in (1, 2)] for case in CASES]))
