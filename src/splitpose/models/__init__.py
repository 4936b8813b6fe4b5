"""The model variants by name; `splitpose.models.registry` documents what a variant is."""

from splitpose.models.registry import build, build_codec, get_variant, load_weights

__all__ = ["build", "build_codec", "get_variant", "load_weights"]
