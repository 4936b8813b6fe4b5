"""Initial weights of the backbone: random, ImageNet weights or a file; weights are matched by layer name."""

import hashlib
import logging
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np

from splitpose.errors import InputError
from splitpose.models.imagenet import fetch_imagenet_weights
from splitpose.models.layers.backbone import backbone_layers

logger = logging.getLogger(__name__)


def load_backbone_weights(model: keras.Model, source: str, width: float) -> None:
    """Load pretrained weights into the backbone, and log the file and its sha256.

    Layers that only the file has, such as a classifier's, are ignored.

    Args:
        model: a variant's model.
        source: "random" leaves the model unchanged, "imagenet" downloads Keras' weights; otherwise the path of a
            `.h5` or `.weights.h5` file of keras.applications' MobileNet or of a variant.
        width: width multiplier of the backbone.

    Raises:
        InputError: the weights cannot be downloaded, read or used; the model is unchanged.
    """
    if source == "random":
        return
    targets = [layer for layer, _ in backbone_layers(model) if layer.weights]
    if not targets:
        raise InputError(f"model.backbone_weights: {model.name} has no layers of MobileNet v1; use random")
    path = fetch_imagenet_weights(width) if source == "imagenet" else Path(source).expanduser()
    if not path.is_file():
        raise InputError(
            f"model.backbone_weights: {path}: no such file; use random, imagenet or the path of a weights file"
        )
    weights_by_layer = _read_weights(path)
    for layer in targets:
        _check_weights(layer, weights_by_layer.get(layer.name), path, width)
    for layer in targets:
        layer.set_weights(weights_by_layer[layer.name])
    with path.open("rb") as file:
        logger.info("backbone weights: %s, sha256 %s", path, hashlib.file_digest(file, "sha256").hexdigest())


def _read_weights(path: Path) -> dict[str, list[np.ndarray]]:
    """Read the weights in a file by layer name, in Keras' order.

    `.h5` files, ImageNet's among them, have a group for each layer, which lists the names of its weights;
    `.weights.h5` files have a group `vars` for each layer, which has the layer's name and numbers the weights.

    Raises:
        InputError: the file cannot be read.
    """
    weights_by_layer: dict[str, list[np.ndarray]] = {}

    def visit(name: str, group: h5py.Group | h5py.Dataset) -> None:
        if "weight_names" in group.attrs:
            weights = [key if isinstance(key, str) else key.decode() for key in group.attrs["weight_names"]]
            weights_by_layer[name.rpartition("/")[2]] = [np.asarray(group[key]) for key in weights]
        elif name.endswith("/vars") and "name" in group.attrs:
            weights_by_layer[group.attrs["name"]] = [np.asarray(group[str(index)]) for index in range(len(group))]

    try:
        with h5py.File(path) as file:
            file.visititems(visit)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"model.backbone_weights: {path}: not a weights file, or damaged ({reason}); "
            "delete it and download it again"
        ) from error
    return weights_by_layer


def _check_weights(layer: keras.Layer, weights: list[np.ndarray] | None, path: Path, width: float) -> None:
    """Raise InputError unless these can be the weights of the layer."""
    if weights is None:
        raise InputError(
            f"model.backbone_weights: {path}: has no layer {layer.name}; "
            "use weights of keras.applications' MobileNet"
        )
    shapes = [weight.shape for weight in weights]
    expected = [tuple(weight.shape) for weight in layer.weights]
    if shapes != expected:
        raise InputError(
            f"model.backbone_weights: {path}: {layer.name} has {_format_shapes(shapes)}, but "
            f"model.width_multiplier {width} requires {_format_shapes(expected)}; use weights of this width, or "
            "set model.width_multiplier to that of the file"
        )
    if not all(np.isfinite(weight).all() for weight in weights):
        raise InputError(
            f"model.backbone_weights: {path}: {layer.name} contains NaN or infinity; "
            "delete it and download it again"
        )


def _format_shapes(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes) or "no weights"
