"""Settings, data and a small model for tests of the training loop."""

import keras
import numpy as np

from splitpose.settings import Phase, Training
from splitpose.training.phase import ValidationCrops

SIZE = 32


def training_settings(**changes) -> Training:
    values = {
        "batch_size": 4, "seed": 1, "validation_interval": 2, "plateau_patience": 1, "ema_decay": 0.9,
        "heatmap_fwhm": 3.0, "coordinate_loss": "squared", "devices": 1, "mixed_precision": False,
        "repeats": 1, "frozen": phase_settings(), "fine_tune": phase_settings(), "warm_start": phase_settings(),
    }  # fmt: skip
    return Training.model_validate(values | changes)


def phase_settings(**changes) -> Phase:
    values = {"iterations": 4, "learning_rate": 1e-3, "warmup_iterations": 0, "schedule": "plateau"}
    return Phase.model_validate(values | changes)


def random_crops(count: int = 4) -> ValidationCrops:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)
    return ValidationCrops(pixels, rng.uniform(4, 28, (count, 11, 2)).astype(np.float32))


def equal_batches():
    """Return an infinite dataset of the same batch."""
    import tensorflow as tf

    crops = random_crops()
    return tf.data.Dataset.from_tensors((crops.pixels, crops.joints)).repeat()


def different_batches():
    """Return a dataset of batches with different crops."""
    import tensorflow as tf

    crops = random_crops(8)

    def batch(number):
        return tf.roll(crops.pixels, number, 0)[:4], tf.roll(crops.joints, number, 0)[:4]

    return tf.data.Dataset.range(1000).map(batch)


def small_model() -> keras.Model:
    """Return a model with BatchNorm statistics that compiles much faster than a variant's."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 8, 8, use_bias=False),
            layers.BatchNormalization(momentum=0.5),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(22),
            layers.Reshape((11, 2)),
        ]
    )
