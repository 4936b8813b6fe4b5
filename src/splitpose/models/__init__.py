"""The variants. Each is a module here, registered by its name; see docs in `registry`."""

from splitpose.models.registry import build, codec, load, variant

__all__ = ["build", "codec", "load", "variant"]
