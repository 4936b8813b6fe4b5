"""The variants by name.

A module `splitpose.models.variants.<name>` is a variant if it defines

- `CODEC`: "coordinates" or "heatmaps",
- `TRAINABLE_BACKBONE_BLOCKS`: the numbers of the backbone blocks that are trainable in the frozen phase,
- `build(size, width, momentum) -> keras.Model`, which maps crops (B, S, S, 3) in 0..255 to outputs that the codec
  decodes. The model is named after the variant, and its backbone layers are named as `backbone.backbone_layers`
  expects. A variant whose joint split can begin at different layers takes a fourth parameter, `split`.

`HAS_IMAGENET_WEIGHTS = False` states that model.backbone_weights: imagenet does not fit the variant's backbone.

A variant imports no other variant, so that a change to one variant reruns the stages of that variant only.
"""

import pkgutil
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from types import ModuleType

import keras

from splitpose.codecs import Codec, Coordinates, Heatmaps
from splitpose.errors import InputError
from splitpose.settings import SIZE_MULTIPLE, Decoding, JointSplit

DEFAULT_HEATMAP_FWHM = 3.0
"""Full width at half maximum of a joint's Gaussian, in heatmap px (the authors' code)."""

OUTPUT_LAYER_SCALE = 0.02
"""Factor of the last layer's initial weights, relative to Glorot initialisation."""


def list_variants() -> list[str]:
    """Return the names of all variants."""
    modules = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent / "variants")])]
    return [name for name in modules if hasattr(import_module(f"splitpose.models.variants.{name}"), "CODEC")]


def get_variant(name: str) -> ModuleType:
    """Return the variant's module.

    Raises:
        InputError: there is no variant with this name.
    """
    if name.isidentifier() and find_spec(f"splitpose.models.variants.{name}"):
        module = import_module(f"splitpose.models.variants.{name}")
        if hasattr(module, "CODEC"):
            return module
    raise InputError(f"variants: unknown variant {name!r}; available: {', '.join(list_variants())}")


def build(
    name: str, size: int = 224, width: float = 1.0, momentum: float = 0.99, split: JointSplit = "sliced"
) -> keras.Model:
    """Build the variant's Keras model with random weights; nothing is downloaded.

    Args:
        name: the variant.
        size: side of the square input in px, a multiple of 32.
        width: MobileNet's width multiplier.
        momentum: momentum of every BatchNorm layer.
        split: where the joint split begins; ignored for variants whose `build` has no such parameter.

    Raises:
        InputError: unknown variant, or a size that is not a multiple of 32.
    """
    module = get_variant(name)
    if size <= 0 or size % SIZE_MULTIPLE:
        raise InputError(f"crops.size: {size} is not a multiple of {SIZE_MULTIPLE}")
    options = {"split": split} if "split" in signature(module.build).parameters else {}
    model: keras.Model = module.build(size=size, width=width, momentum=momentum, **options)
    _use_float32_outputs(model)
    _scale_down_output_layer(model)
    return model


def _use_float32_outputs(model: keras.Model) -> None:
    """Make the last layer with weights, and the layers after it, compute in float32 even in mixed precision.

    bfloat16 would round a coordinate by up to a fifth of a pixel of 224.
    """
    for layer in reversed(model.layers):
        layer.dtype_policy = "float32"
        if layer.weights:
            return


def _scale_down_output_layer(model: keras.Model) -> None:
    """Scale down the initial weights of the last layer, so that outputs hardly depend on the crop at first.

    With Glorot initialisation the initial noise is ten times as large as the differences between instances, and a
    short training would mostly unlearn it (usual for pose models: Xiao et al., ECCV 2018, use 0.001).
    """
    last = next(layer for layer in reversed(model.layers) if layer.weights)
    for weight in last.weights:
        weight.assign(weight * OUTPUT_LAYER_SCALE)


def build_codec(
    name: str, size: int, heatmap_fwhm: float = DEFAULT_HEATMAP_FWHM, decoding: Decoding = "argmax"
) -> Codec:
    """Return the variant's codec for crops of `size` px."""
    if get_variant(name).CODEC == "coordinates":
        return Coordinates(size)
    return Heatmaps(size, heatmap_fwhm, decoding)


def load_weights(model: keras.Model, path: Path) -> keras.Model:
    """Load a `.weights.h5` file into the model and return the model.

    Raises:
        InputError: the file is missing or contains the weights of another model.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weights file; train the model first")
    try:
        model.load_weights(path)
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not weights of {model.name} ({str(error).splitlines()[0]})") from error
    return model
