"""The model variants, built by name: one module in `variants` each."""

from splitpose.models.registry import build, build_codec, get_variant, load_weights

__all__ = ["build", "build_codec", "get_variant", "load_weights"]
