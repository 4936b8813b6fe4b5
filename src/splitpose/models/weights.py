"""Initial weights of a model, of its backbone or of all its layers; weights are matched by layer name."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from splitpose.errors import InputError
from splitpose.models.layers.backbone import backbone_layers
from splitpose.models.weights_file import BACKBONE_KEY, INITIAL_KEY, check_finite, read_weights

logger = logging.getLogger(__name__)

MAX_LISTED_LAYERS = 6
"""Number of layer names in a log line."""


@dataclass(frozen=True)
class LoadedLayers:
    """The names of a model's layers with weights, by whether their weights were loaded."""

    loaded: list[str]
    new: list[str]
    """Layers that keep the weights with which the model was built."""


def load_backbone_weights(model: keras.Model, path: Path, width: float) -> None:
    """Load pretrained weights into the backbone, and log the file and its sha256.

    Layers that only the file has, such as a classifier's, are ignored.

    Args:
        model: a variant's model.
        path: a `.h5` or `.weights.h5` file of keras.applications' MobileNet or of a variant.
        width: width multiplier of the backbone.

    Raises:
        InputError: the weights cannot be read or used; the model is unchanged.
    """
    targets = [layer for layer, _ in backbone_layers(model) if layer.weights]
    if not targets:
        raise InputError(f"{BACKBONE_KEY}: {model.name} has no layers of MobileNet v1; use random")
    if not path.is_file():
        raise InputError(
            f"{BACKBONE_KEY}: {path}: no such file; use random, imagenet or the path of a weights file"
        )
    weights_by_layer = read_weights(path, BACKBONE_KEY)
    for layer in targets:
        _check_backbone_weights(layer, weights_by_layer.get(layer.name), path, width)
    for layer in targets:
        layer.set_weights(weights_by_layer[layer.name])
    with path.open("rb") as file:
        logger.info("backbone weights: %s, sha256 %s", path, hashlib.file_digest(file, "sha256").hexdigest())


def load_initial_weights(model: keras.Model, path: Path) -> LoadedLayers:
    """Load the weights of all layers that a file has in the same shape, and log what was loaded and what was not.

    Batch-norm statistics are among a layer's weights. Layers that only the file has are ignored.

    Args:
        model: a variant's model.
        path: a `.weights.h5` or `.h5` file, usually of a variant.

    Returns:
        The names of the loaded and of the other layers.

    Raises:
        InputError: the file cannot be read, belongs to another network or to another width multiplier, or contains
            NaN or infinity; the model is unchanged.
    """
    weights_by_layer = read_weights(path, INITIAL_KEY)
    layers = [layer for layer in model.layers if layer.weights]
    fitting = [layer for layer in layers if _shapes(layer) == _stored_shapes(weights_by_layer.get(layer.name))]
    _check_backbone_width(model, weights_by_layer, path)
    if not fitting:
        raise InputError(
            f"{INITIAL_KEY}: {path}: has no layer of {model.name}; use a weights file of a variant, or null"
        )
    for layer in fitting:
        check_finite(layer.name, weights_by_layer[layer.name], path, INITIAL_KEY)
    for layer in fitting:
        layer.set_weights(weights_by_layer[layer.name])
    loaded = [layer.name for layer in fitting]
    result = LoadedLayers(loaded, [layer.name for layer in layers if layer.name not in loaded])
    logger.info(
        "initial weights: %d layers loaded, %d new%s",
        len(result.loaded),
        len(result.new),
        f" ({_list_layers(result.new)})" if result.new else "",
    )
    unused = [name for name in weights_by_layer if name not in loaded and weights_by_layer[name]]
    if unused:
        logger.info("initial weights: %d layers of the file not used (%s)", len(unused), _list_layers(unused))
    return result


def _check_backbone_width(model: keras.Model, weights_by_layer: dict[str, list[np.ndarray]], path: Path) -> None:
    """Raise InputError if the file has layers of the backbone, but all of them in other shapes."""
    backbone = [layer for layer, _ in backbone_layers(model) if layer.weights and layer.name in weights_by_layer]
    if backbone and all(_shapes(layer) != _stored_shapes(weights_by_layer[layer.name]) for layer in backbone):
        first = backbone[0]
        raise InputError(
            f"{INITIAL_KEY}: {path}: weights of another model.width_multiplier ({first.name} has "
            f"{_format_shapes(_stored_shapes(weights_by_layer[first.name]))}, but {_format_shapes(_shapes(first))} "
            "is required); use weights of this width, or null to start from scratch"
        )


def _check_backbone_weights(layer: keras.Layer, weights: list[np.ndarray] | None, path: Path, width: float) -> None:
    """Raise InputError unless these can be the weights of the layer."""
    if weights is None:
        raise InputError(
            f"{BACKBONE_KEY}: {path}: has no layer {layer.name}; use weights of keras.applications' MobileNet"
        )
    if _stored_shapes(weights) != _shapes(layer):
        raise InputError(
            f"{BACKBONE_KEY}: {path}: {layer.name} has {_format_shapes(_stored_shapes(weights))}, but "
            f"model.width_multiplier {width} requires {_format_shapes(_shapes(layer))}; use weights of this width, "
            "or set model.width_multiplier to that of the file"
        )
    check_finite(layer.name, weights, path, BACKBONE_KEY)


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]


def _stored_shapes(weights: Sequence[np.ndarray] | None) -> list[tuple[int, ...]]:
    return [weight.shape for weight in weights or ()]


def _format_shapes(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes) or "no weights"


def _list_layers(names: Sequence[str]) -> str:
    """Return the first names, and how many follow."""
    listed = ", ".join(names[:MAX_LISTED_LAYERS])
    return f"{listed} and {len(names) - MAX_LISTED_LAYERS} more" if len(names) > MAX_LISTED_LAYERS else listed
