"""Variants by name: a module `splitpose.models.variants.<name>` is a variant if it has

- `CODEC`: "coordinates" or "heatmaps",
- `UNFROZEN`: the trunk's blocks that train in the frozen phase,
- `build(size, width, momentum, split) -> keras.Model`: crops (B, S, S, 3) in 0..255 to what the codec decodes. The
  model has the variant's name; names of layers tell which belong to the trunk (see `trunk.trunk_layers`).

It imports no other variant: a change to one runs that one alone again.
"""

import pkgutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import keras

from splitpose.codecs import Codec, Coordinates, Heatmaps
from splitpose.errors import InputError
from splitpose.settings import Decoding

HEATMAP_FWHM = 3.0
FIRST_OUTPUTS = 0.02
"""Of Glorot's: what the last layer's weights begin with."""

SMALLEST_STEP = 32
"""The trunk halves its input five times."""


def list_variants() -> list[str]:
    """Names of all variants that are there."""
    modules = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent / "variants")])]
    return [name for name in modules if hasattr(import_module(f"splitpose.models.variants.{name}"), "CODEC")]


def get_variant(name: str) -> ModuleType:
    """The variant's module. Raises InputError if there is none of that name."""
    if name.isidentifier() and find_spec(f"splitpose.models.variants.{name}"):
        module = import_module(f"splitpose.models.variants.{name}")
        if hasattr(module, "CODEC"):
            return module
    raise InputError(f"params.yaml: variants: there is no variant {name!r}; there are {', '.join(list_variants())}")


def build(
    name: str, size: int = 224, width: float = 1.0, momentum: float = 0.99, split: str = "sliced"
) -> keras.Model:
    """The variant's Keras model with random weights; nothing is fetched.

    Args:
        name: the variant.
        size: side of the square input in px, a multiple of 32.
        width: MobileNet's width multiplier.
        momentum: of every BatchNorm's running statistics.
        split: "sliced" or "shared", where the final variant's cut begins.

    Raises:
        InputError: unknown variant, or a size that the trunk cannot halve five times.
    """
    module = get_variant(name)
    if size <= 0 or size % SMALLEST_STEP:
        raise InputError(f"crops.size: {size} is not a multiple of {SMALLEST_STEP}")
    model: keras.Model = module.build(size=size, width=width, momentum=momentum, split=split)
    _give_float32(model)
    _begin_small(model)
    return model


def _give_float32(model: keras.Model) -> None:
    """Let the last layer with weights, and what comes after it, compute in float32 in mixed precision too.

    bfloat16 would round a coordinate by up to a fifth of a pixel of 224.
    """
    for layer in reversed(model.layers):
        layer.dtype_policy = "float32"
        if layer.weights:
            return


def _begin_small(model: keras.Model) -> None:
    """Let the last layer with weights begin so small that the model first says the same of every crop.

    Glorot's weights would begin with noise ten times as large as the differences between people, and a short
    training would do little but unlearn it (as usual for pose: Xiao et al., ECCV 2018, begin with 0.001).
    """
    last = next(layer for layer in reversed(model.layers) if layer.weights)
    for weight in last.weights:
        weight.assign(weight * FIRST_OUTPUTS)


def build_codec(name: str, size: int, heatmap_fwhm: float = HEATMAP_FWHM, decoding: Decoding = "argmax") -> Codec:
    """The variant's codec for crops of `size` px."""
    if get_variant(name).CODEC == "coordinates":
        return Coordinates(size)
    return Heatmaps(size, heatmap_fwhm, decoding)


def load_weights(model: keras.Model, weights: Path) -> keras.Model:
    """Put the weights of a `.weights.h5` file into the model.

    Raises InputError if the file is missing or belongs to another model.
    """
    if not weights.is_file():
        raise InputError(f"{weights}: no such weights; run the training stage")
    try:
        model.load_weights(weights)
    except (ValueError, OSError) as error:
        raise InputError(f"{weights}: not weights of {model.name} ({str(error).splitlines()[0]})") from error
    return model
