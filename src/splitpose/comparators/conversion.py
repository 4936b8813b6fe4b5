"""Conversion of networks with random weights to TFLite files, which are as fast as those of trained networks."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import keras
import numpy as np

from splitpose.export.tflite import convert_to_tflite
from splitpose.files import atomic_file
from splitpose.models.layers.backbone import recalibrate_batch_norm

logger = logging.getLogger(__name__)

SEED = 0
NOISE_IMAGES = 20
"""Number of noise images that batch-norm statistics are calibrated on."""


@dataclass(frozen=True)
class Network:
    """A network that can be built at an input size."""

    build: Callable[[int], keras.Model]
    """Function from the side of the input, px, to a model with random weights.

    It is called in another process and must be picklable, so it cannot be a lambda.
    """
    size: int


@dataclass(frozen=True)
class ConvertedNetwork:
    """A network's TFLite file and number of parameters."""

    path: Path
    parameters: int


def convert_networks(networks: Mapping[str, Network], folder: Path) -> dict[str, ConvertedNetwork]:
    """Convert networks to float32 TFLite files in a folder.

    Each network is converted in a separate process, because the converter does not release its memory.
    """
    paths = {name: folder / f"{number}.tflite" for number, name in enumerate(networks)}
    converted = {}
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        counts = pool.map(_convert, networks.values(), paths.values())
        for (name, path), parameters in zip(paths.items(), counts, strict=True):
            logger.info("%s: converted, %.2f M parameters", name, parameters / 1e6)
            converted[name] = ConvertedNetwork(path, parameters)
    return converted


def _convert(network: Network, path: Path) -> int:
    """Write a network's TFLite file and return its number of parameters."""
    model = build_with_random_weights(network)
    with atomic_file(path) as temporary:
        temporary.write_bytes(convert_to_tflite(model, "float32", np.empty(0)))
    return int(model.count_params())


def build_with_random_weights(network: Network) -> keras.Model:
    """Build a network with random weights and batch-norm statistics that are calibrated on noise.

    Without this calibration, the activations of a deep network would shrink to denormal numbers or overflow, which
    processors compute more slowly.
    """
    keras.utils.set_random_seed(SEED)
    model = network.build(network.size)
    if any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers):
        random = np.random.default_rng(SEED)
        shape = (1, network.size, network.size, 3)
        recalibrate_batch_norm(
            model, (random.uniform(0, 255, shape).astype(np.float32) for _ in range(NOISE_IMAGES))
        )
    return model
