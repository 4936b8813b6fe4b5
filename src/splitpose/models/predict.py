"""Prediction with a Keras model."""

import keras
import numpy as np


def predict(model: keras.Model, pixels: np.ndarray, batch_size: int = 64) -> np.ndarray:
    """Return the model's outputs for crops (N, S, S, 3) uint8 RGB, computed in batches."""
    outputs: np.ndarray = model.predict(pixels, batch_size=batch_size, verbose=0)
    return outputs
