"""What a model costs, counted on the Keras model."""

from math import prod

import keras


def count_macs(model: keras.Model) -> int:
    """Multiply-adds of one crop: every kernel entry is used once at every place of its layer's output.

    Counts convolutions and dense layers (weights of two and more dimensions); adding biases, BatchNorm (folded
    when deployed), resizing and activations are left out, as usual.
    """
    total = 0
    for layer in model.layers:
        entries = sum(prod(weight.shape) for weight in layer.weights if len(weight.shape) >= 2)
        output = layer.output.shape if entries else ()
        total += entries * (prod(output[1:3]) if len(output) == 4 else 1)
    return total
