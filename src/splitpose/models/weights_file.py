"""Weights files, read without Keras: the weights by layer name, and the architecture that they belong to."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np

from splitpose.errors import InputError
from splitpose.settings import Profile

ARCHITECTURE = "splitpose_architecture"
"""Attribute of a weights file: `architecture_digest` of the model whose weights it contains."""

BACKBONE_KEY, INITIAL_KEY = "model.backbone_weights", "model.initial_weights"
"""The parameters that name the files."""

FOLDER = Path(__file__).parent


def read_weights(path: Path, key: str) -> dict[str, list[np.ndarray]]:
    """Read the weights in a file by layer name, in Keras' order.

    `.h5` files, ImageNet's among them, have a group for each layer, which lists the names of its weights;
    `.weights.h5` files have a group `vars` for each layer, which has the layer's name and numbers the weights, and
    one for the optimizer, which is ignored.

    Args:
        path: the file.
        key: the parameter that names the file, for the message.

    Raises:
        InputError: the file cannot be read.
    """
    weights_by_layer: dict[str, list[np.ndarray]] = {}

    def visit(name: str, group: h5py.Group | h5py.Dataset) -> None:
        if "weight_names" in group.attrs:
            weights = [name if isinstance(name, str) else name.decode() for name in group.attrs["weight_names"]]
            weights_by_layer[name.rpartition("/")[2]] = [np.asarray(group[name]) for name in weights]
        elif name.endswith("/vars") and "name" in group.attrs and not name.startswith("optimizer/"):
            weights_by_layer[group.attrs["name"]] = [np.asarray(group[str(index)]) for index in range(len(group))]

    try:
        with h5py.File(path) as file:
            file.visititems(visit)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{key}: {path}: not a weights file, or damaged ({reason}); delete it and download it again"
        ) from error
    return weights_by_layer


def check_finite(layer: str, weights: list[np.ndarray], path: Path, key: str) -> None:
    """Raise InputError if the weights of a layer contain NaN or infinity; `path` and `key` as in `read_weights`."""
    if not all(np.isfinite(weight).all() for weight in weights):
        raise InputError(f"{key}: {path}: {layer} contains NaN or infinity; delete the file and download it again")


def architecture_digest(variant: str, profile: Profile) -> str:
    """Return a digest of everything that determines a model's layers and the shapes of their weights.

    Two models with the same digest have the same layers. The reverse does not hold: the digest changes with every
    edit of the code that builds models.
    """
    determinants = [
        variant,
        profile.crops.size,
        profile.model.width_multiplier,
        profile.model.split,
        version("keras"),
    ]
    digest = hashlib.sha256(json.dumps(determinants).encode())
    for path in [
        FOLDER / "registry.py",
        FOLDER / "variants" / f"{variant}.py",
        *sorted(FOLDER.glob("layers/*.py")),
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def write_architecture(path: Path, digest: str) -> None:
    """Record the architecture in a weights file."""
    with h5py.File(path, "a") as file:
        file.attrs[ARCHITECTURE] = digest


def read_architecture(path: Path) -> str | None:
    """Return the architecture that a weights file records, None if it records none.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with h5py.File(path) as file:
            digest: str | None = file.attrs.get(ARCHITECTURE)
    except OSError as error:
        raise InputError(f"{path}: not a weights file, or damaged ({' '.join(str(error).split())})") from error
    return digest
