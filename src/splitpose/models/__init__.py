"""The model variants by name; `splitpose.models.registry` documents what a variant is.

Keras takes seconds to import, so it is imported when one of these functions is used for the first time.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from splitpose.models.registry import build, build_codec, get_variant, load_weights

__all__ = ["build", "build_codec", "get_variant", "load_weights"]


def __getattr__(name: str) -> Any:
    """Return a function of `splitpose.models.registry` (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from splitpose.models import registry

    return getattr(registry, name)
