"""Models and the training core keep to keras.ops: with JAX they compute what they compute with TensorFlow.

Run as a program it prints what one backend gives: Keras has one backend a process.
"""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from splitpose import models
from splitpose.models import registry
from splitpose.training.loss import joint_loss

SIZE, WIDTH = 64, 0.25


def answers(name, weights):
    """Outputs with the weights in a file, and the losses of two training steps from them."""
    model = models.load_weights(models.build(name, SIZE, WIDTH, momentum=0.5), weights)
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (8, SIZE, SIZE, 3)).astype(np.float32)
    joints = rng.uniform(0, SIZE - 1, (8, 11, 2)).astype(np.float32)
    joints[3, 5] = np.nan
    model.compile(keras.optimizers.Adam(1e-4, use_ema=True), joint_loss(models.build_codec(name, SIZE)))
    outputs = model.predict_on_batch(crops[:2])
    return {"outputs": outputs.tolist(), "losses": [float(model.train_on_batch(crops, joints)) for _ in range(2)]}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of weights of each variant; BatchNorm's statistics are no longer those of a new layer."""
    folder = tmp_path_factory.mktemp("weights")
    for name in registry.list_variants():
        keras.utils.set_random_seed(3)
        model = models.build(name, SIZE, WIDTH, momentum=0.0)
        model(np.random.default_rng(1).integers(0, 256, (8, SIZE, SIZE, 3)).astype(np.float32), training=True)
        model.save_weights(folder / f"{name}.weights.h5")
    return folder


@pytest.fixture(scope="module")
def by_jax(weights, repository):
    where = {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",  # compiles three times as fast
        "PYTHONPATH": str(repository / "src"),
    }
    program = subprocess.run(
        [sys.executable, __file__, str(weights)], capture_output=True, text=True, env=os.environ | where
    )
    assert program.returncode == 0, program.stderr[-2000:]
    backend, found = program.stdout.splitlines()[-2:]
    assert backend == "jax"
    return json.loads(found)


@pytest.mark.parametrize("name", registry.list_variants())
def test_jax_computes_and_learns_the_same(weights, by_jax, name):
    wanted = answers(name, weights / f"{name}.weights.h5")
    spread = np.ptp(wanted["outputs"])
    np.testing.assert_allclose(by_jax[name]["outputs"], wanted["outputs"], rtol=0, atol=1e-4 * max(1.0, spread))
    assert np.isfinite(by_jax[name]["losses"]).all()
    np.testing.assert_allclose(by_jax[name]["losses"], wanted["losses"], rtol=1e-3)
    assert wanted["losses"][1] != wanted["losses"][0]


if __name__ == "__main__":
    from pathlib import Path

    found = {name: answers(name, Path(sys.argv[1]) / f"{name}.weights.h5") for name in registry.list_variants()}
    print(keras.backend.backend())
    print(json.dumps(found))
