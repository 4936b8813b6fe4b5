"""Where the trunk's weights come from: chance, ImageNet, or a file.

ImageNet's are those of keras.applications' MobileNet, in Keras' own cache folder. They are fetched here and not by
Keras, which checks nothing, waits for a silent server without end, and takes what a killed download left for the
whole file from then on. A file is read by layers' names, so that it may have a top and blocks that are not needed.
"""

import hashlib
import os
import re
from base64 import b64encode
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np
import requests

from splitpose.errors import InputError
from splitpose.files import atomic_file
from splitpose.models.backbone import backbone_layers

ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet"

IMAGENET = {
    0.25: "mobilenet_2_5_224_tf_no_top.h5",
    0.5: "mobilenet_5_0_224_tf_no_top.h5",
    0.75: "mobilenet_7_5_224_tf_no_top.h5",
    1.0: "mobilenet_1_0_224_tf_no_top.h5",
}
"""Files of Keras' weights, trained at 224 px, by width."""

TIMEOUT = 10
"""Seconds without a byte after which a server counts as silent."""


def load_backbone(model: keras.Model, source: str, width: float) -> None:
    """Fill the trunk and print the file and its sha256, so that a log tells which weights a model began with.

    Args:
        model: a variant.
        source: "random" keeps what the model has, "imagenet" fetches Keras' weights, else the path of a `.h5` or
            `.weights.h5` file of keras.applications' MobileNet or of a variant.
        width: of the trunk.

    Raises:
        InputError: weights that cannot be had, read or used, with what to do; the model is as it was.
    """
    if source == "random":
        return
    wanted = [layer for layer, _ in backbone_layers(model) if layer.weights]
    if not wanted:
        raise InputError(f"model.backbone_weights: {model.name} has no layers of MobileNet v1; give random")
    path = imagenet(width) if source == "imagenet" else Path(source).expanduser()
    if not path.is_file():
        raise InputError(
            f"model.backbone_weights: {path}: no such file; give random, imagenet or the path of a weights file"
        )
    found = _layers(path)
    for layer in wanted:
        _check(layer, found.get(layer.name), path, width)
    for layer in wanted:
        layer.set_weights(found[layer.name])
    with path.open("rb") as file:
        print(f"trunk: {path}, sha256 {hashlib.file_digest(file, 'sha256').hexdigest()}")


def imagenet(width: float) -> Path:
    """The file of ImageNet's weights for a width, fetched if Keras' cache has none.

    Raises InputError if there are none for this width, or they cannot be fetched.
    """
    if width not in IMAGENET:
        widths = ", ".join(str(known) for known in IMAGENET)
        raise InputError(
            f"model.backbone_weights: imagenet: weights exist for the widths {widths}, not for "
            f"model.width_multiplier {width}; use one of these, or random"
        )
    path = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models" / IMAGENET[width]
    if not path.is_file():
        _fetch(f"{ADDRESS}/{path.name}", path)
    return path


def _fetch(address: str, path: Path) -> None:
    """Download a file; it is there as a whole or not at all."""
    print(f"trunk: fetching {address}")
    md5 = hashlib.md5(usedforsecurity=False)
    try:
        with atomic_file(path) as beside, requests.get(address, stream=True, timeout=TIMEOUT) as answer:
            if not answer.ok:
                raise OSError(f"the server answers {answer.status_code} {answer.reason}")
            with beside.open("wb") as file:
                for piece in answer.iter_content(2**16):
                    md5.update(piece)
                    file.write(piece)
            told = re.search(r"md5=([\w+/=]+)", answer.headers.get("x-goog-hash", ""))
            if told and told[1] != b64encode(md5.digest()).decode():
                raise OSError("what came is not what the server says it sent")
    except OSError as error:  # those of requests too
        raise InputError(
            f"model.backbone_weights: imagenet: {address}: {_reason(error)}; "
            "fetch it on another machine and put the file's path into model.backbone_weights, or give random"
        ) from error


def _reason(error: BaseException) -> str:
    """What is at the bottom of an error: "Connection refused", not all that is wrapped around it."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())


def _layers(path: Path) -> dict[str, list[np.ndarray]]:
    """The weights in a file by their layer's name, in Keras' order.

    `.h5` files, ImageNet's too, have a group for each layer, which names its weights; `.weights.h5` files have a
    group `vars` for each, which names its layer and numbers the weights.

    Raises InputError if the file cannot be read.
    """
    layers: dict[str, list[np.ndarray]] = {}

    def visit(name: str, group: h5py.Group | h5py.Dataset) -> None:
        if "weight_names" in group.attrs:
            weights = [key if isinstance(key, str) else key.decode() for key in group.attrs["weight_names"]]
            layers[name.rpartition("/")[2]] = [np.asarray(group[key]) for key in weights]
        elif name.endswith("/vars") and "name" in group.attrs:
            layers[group.attrs["name"]] = [np.asarray(group[str(number)]) for number in range(len(group))]

    try:
        with h5py.File(path) as file:
            file.visititems(visit)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"model.backbone_weights: {path}: not a weights file, or damaged ({reason}); "
            "delete it and download it again"
        ) from error
    return layers


def _check(layer: keras.Layer, weights: list[np.ndarray] | None, path: Path, width: float) -> None:
    """Raise InputError if these are not weights of the layer."""
    if weights is None:
        raise InputError(
            f"model.backbone_weights: {path}: has no layer {layer.name}; "
            "use weights of keras.applications' MobileNet"
        )
    shapes = [weight.shape for weight in weights]
    wanted = [tuple(weight.shape) for weight in layer.weights]
    if shapes != wanted:
        raise InputError(
            f"model.backbone_weights: {path}: {layer.name} has {_listed(shapes)}, but "
            f"model.width_multiplier {width} requires {_listed(wanted)}; use weights of this width, or set "
            "model.width_multiplier to theirs"
        )
    if not all(np.isfinite(weight).all() for weight in weights):
        raise InputError(
            f"model.backbone_weights: {path}: {layer.name} contains NaN or infinity; "
            "delete it and download it again"
        )


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes) or "nothing"
