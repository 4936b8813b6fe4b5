"""Several devices learn what one learns, and bfloat16 nearly what float32 does.

Run as a program it prints the curves of one device and of two: TensorFlow fixes its devices once a process.
"""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from training.test_phase import phase_settings, settings

from splitpose import models
from splitpose.errors import InputError
from splitpose.models import registry
from splitpose.models.backbone import freeze
from splitpose.training import phase
from splitpose.training.devices import computing
from splitpose.training.loss import joint_loss

SIZE, WIDTH, BATCH = 64, 0.25, 8
CASES = [
    ("final", "frozen", "float32"),
    ("mobilenet_v3", "fine_tune", "float32"),
    ("final", "fine_tune", "float64"),
]
"""Adam blows rounding up where gradients are nearly zero: in float32 final's curve of fine-tuning differs by
2.5e-4. In float64 only a mistake would show."""


def people():
    """64 crops; in the halves of a batch different numbers of joints are annotated."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (64, SIZE, SIZE, 3), np.uint8)
    joints = rng.uniform(4, SIZE - 4, (64, 11, 2)).astype(np.float32)
    joints[::5, 3] = np.nan
    return pixels, joints


def curve(devices, name, kind, precision):
    """Losses of 8 steps at the paper's rates, that of the look, and each device's copy of some statistics."""
    import tensorflow as tf

    pixels, joints = people()
    batches = tf.data.Dataset.from_tensor_slices((pixels, joints)).batch(BATCH, drop_remainder=True).repeat()
    training = settings(batch_size=BATCH, devices=devices, validation_interval=8)
    one = phase_settings(iterations=8, learning_rate=1e-3 if kind == "frozen" else 1e-4)
    losses = []
    keras.config.set_floatx(precision)
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(2)
    with computing(training):
        model = models.build(name, SIZE, WIDTH, momentum=0.5)
        for layer in model.layers if precision == "float64" else []:
            layer.synchronized = True  # BatchNorm as several devices compute it; its fused operation is of float32
        if kind == "frozen":
            freeze(model, ())
        rows = phase.run(
            model,
            models.build_codec(name, SIZE),
            batches.skip,
            phase.People(pixels[:7], joints[:7]),
            kind,
            training,
            one,
            watcher=phase.Watcher(step=lambda iteration, loss: losses.append(loss)),
        )
    norm = next(layer for layer in reversed(model.layers) if isinstance(layer, keras.layers.BatchNormalization))
    moving = norm.moving_mean.value
    copies = [np.asarray(copy).tolist() for copy in getattr(moving, "values", [moving])]
    return {"losses": losses, "val_losses": [row["val_loss"] for row in rows], "copies_per_instance": copies}


@pytest.fixture(scope="module")
def curves(repository):
    """The curves of all cases: [one device, two devices] each."""
    where = os.environ | {"PYTHONPATH": os.pathsep.join([str(repository / "src"), str(repository / "tests")])}
    program = subprocess.run([sys.executable, __file__], capture_output=True, text=True, env=where)
    assert program.returncode == 0, program.stderr[-2000:]
    return dict(zip(CASES, json.loads(program.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_two_devices_learn_what_one_learns(curves, case):
    one, two = curves[case]
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(two["val_losses"], one["val_losses"], rtol=0, atol=1e-4)
    assert len(set(one["losses"])) == 8
    assert (len(one["copies"]), len(two["copies"])) == (1, 2)
    for copy in two["copies"]:  # of the whole batch, not of each device's half
        np.testing.assert_allclose(copy, one["copies"][0], rtol=1e-3, atol=1e-4)


def step_losses(name, mixed_precision):
    keras.utils.set_random_seed(3)
    pixels, joints = people()
    with computing(settings(mixed_precision=mixed_precision)):
        model = models.build(name, SIZE, WIDTH, momentum=0.5)
        model.compile(keras.optimizers.Adam(1e-4), joint_loss(models.build_codec(name, SIZE)), run_eagerly=True)
        return model, [model.train_on_batch(pixels[:BATCH], joints[:BATCH]) for _ in range(2)]


@pytest.mark.parametrize("name", registry.list_variants())
def test_mixed_precision_is_close_to_float32(name, tmp_path):
    _, wanted = step_losses(name, mixed_precision=False)
    model, losses = step_losses(name, mixed_precision=True)
    first = next(layer for layer in model.layers if layer.weights)
    assert first.compute_dtype == "bfloat16"
    assert np.isfinite(losses).all()
    assert 0 < abs(losses[0] - wanted[0]) < 0.1 * wanted[0]
    # Outputs and weights are float32, and the file is read without mixed precision.
    assert model(people()[0][:1].astype(np.float32), training=False).dtype.name == "float32"
    model.save_weights(tmp_path / "x.weights.h5")
    plain = models.load_weights(models.build(name, SIZE, WIDTH), tmp_path / "x.weights.h5")
    assert {layer.compute_dtype for layer in plain.layers} == {"float32"}
    assert all((a == b).all() for a, b in zip(plain.get_weights(), model.get_weights(), strict=True))


def test_the_policy_ends_with_the_training():
    with pytest.raises(ZeroDivisionError), computing(settings(mixed_precision=True)):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        raise ZeroDivisionError
    assert keras.config.dtype_policy().name == "float32"


def test_devices_that_are_not_there_are_told():
    with (
        pytest.raises(InputError, match=r"training.devices: 64, and this machine has [cg]pu:0"),
        computing(settings(devices=64)),
    ):
        pass


if __name__ == "__main__":
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    tf.config.set_visible_devices([], "GPU")
    tf.config.experimental.enable_op_determinism()
    registry._give_float32 = lambda model: None  # of a float64 model too
    print(json.dumps([[curve(devices, *case) for devices in (1, 2)] for case in CASES]))
