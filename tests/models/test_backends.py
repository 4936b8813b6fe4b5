"""Models and loss use keras.ops only: with JAX their results equal those with TensorFlow.

Run as a program, this module prints the results of one backend: Keras has one backend per process.
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

pytestmark = pytest.mark.integration

SIZE, WIDTH = 32, 0.25


def compute(name, weights):
    """Return the outputs with the weights in a file, and the losses of two training steps from them."""
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
    """Return a folder with a weights file of each variant; BatchNorm's statistics are not the initial ones."""
    folder = tmp_path_factory.mktemp("weights")
    for name in registry.list_variants():
        keras.utils.set_random_seed(3)
        model = models.build(name, SIZE, WIDTH, momentum=0.0)
        model(np.random.default_rng(1).integers(0, 256, (8, SIZE, SIZE, 3)).astype(np.float32), training=True)
        model.save_weights(folder / f"{name}.weights.h5")
    return folder


@pytest.fixture(scope="module")
def jax_results(weights, repository):
    environment = {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",  # compiles three times as fast
        "PYTHONPATH": str(repository / "src"),
    }
    program = subprocess.run(
        [sys.executable, __file__, str(weights)], capture_output=True, text=True, env=os.environ | environment
    )
    assert program.returncode == 0, program.stderr[-2000:]
    backend, results = program.stdout.splitlines()[-2:]
    assert backend == "jax"
    return json.loads(results)


@pytest.mark.parametrize("name", registry.list_variants())
def test_jax_equals_tensorflow(weights, jax_results, name):
    expected = compute(name, weights / f"{name}.weights.h5")
    spread = np.ptp(expected["outputs"])
    np.testing.assert_allclose(
        jax_results[name]["outputs"], expected["outputs"], rtol=0, atol=1e-4 * max(1.0, spread)
    )
    assert np.isfinite(jax_results[name]["losses"]).all()
    np.testing.assert_allclose(jax_results[name]["losses"], expected["losses"], rtol=1e-3)
    assert expected["losses"][1] != expected["losses"][0]


if __name__ == "__main__":
    from pathlib import Path

    results = {name: compute(name, Path(sys.argv[1]) / f"{name}.weights.h5") for name in registry.list_variants()}
    print(keras.backend.backend())
    print(json.dumps(results))
