"""Networks with random weights as TFLite files whose time is that of trained ones."""

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import keras
import numpy as np

from splitpose.export.tflite import convert_to_tflite
from splitpose.files import atomic_file
from splitpose.models.backbone import recalibrate_batch_norm

SEED = 0
NOISE_PICTURES = 20


@dataclass(frozen=True)
class Network:
    """What is converted."""

    build: Callable[[int], keras.Model]
    """Size of the input, px -> the network with random weights. A process of its own calls it: no lambda."""
    size: int


def convert(networks: Mapping[str, Network], folder: Path) -> dict[str, tuple[Path, int]]:
    """Write a float32 TFLite file of each network; its path and the network's parameters by the same names.

    Each has a process of its own, because the converter does not give its memory back.
    """
    paths = {name: folder / f"{number}.tflite" for number, name in enumerate(networks)}
    written = {}
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as process:
        counts = process.map(_write, networks.values(), paths.values())
        for (name, path), parameters in zip(paths.items(), counts, strict=True):
            print(f"{name}: converted, {parameters / 1e6:.2f} M parameters", flush=True)
            written[name] = path, parameters
    return written


def _write(network: Network, path: Path) -> int:
    """Write the file of a network; its number of parameters."""
    model = random_model(network)
    with atomic_file(path) as beside:
        beside.write_bytes(convert_to_tflite(model, "float32", np.empty(0)))
    return int(model.count_params())


def random_model(network: Network) -> keras.Model:
    """The network with random weights and BatchNorm's statistics of noise.

    Without these a deep network's signal would fade into denormal numbers or grow without bound, and processors
    are slower at such numbers.
    """
    keras.utils.set_random_seed(SEED)
    model = network.build(network.size)
    if any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers):
        random = np.random.default_rng(SEED)
        shape = (1, network.size, network.size, 3)
        recalibrate_batch_norm(
            model, (random.uniform(0, 255, shape).astype(np.float32) for _ in range(NOISE_PICTURES))
        )
    return model
