"""The number of multiply-accumulate operations (MACs) of a Keras model."""

from math import prod

import keras


def count_macs(model: keras.Model) -> int:
    """Count the MACs of one crop: every kernel entry is used once at every position of its layer's output.

    As usual, only convolutions and dense layers (weights with two or more dimensions) are counted, not biases,
    batch normalisation (which is folded into convolutions on a device), resizing and activations.
    """
    total = 0
    for layer in model.layers:
        entries = sum(prod(weight.shape) for weight in layer.weights if len(weight.shape) >= 2)
        output = layer.output.shape if entries else ()
        total += entries * (prod(output[1:3]) if len(output) == 4 else 1)
    return total
