"""Limits of a request, which protect the model server from exhausting its memory."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from splitpose.errors import InputError


@dataclass(frozen=True)
class Limits:
    """Limits of a request; they are saved as the model configuration of MLflow, which can override them.

    max_rows: rows; max_bytes: size of all image files in bytes; max_pixels: pixels of an image, of which each takes
    7 bytes of memory while it is predicted (the largest photographs of common phones have 50 million); max_people:
    largest value of the parameter `people`.
    """

    max_rows: int = 256
    max_bytes: int = 2**26
    max_pixels: int = 64_000_000
    max_people: int = 20

    @classmethod
    def from_config(cls, config: Mapping[str, Any] | None) -> "Limits":
        """Return the limits in a model configuration; those that it lacks have their default.

        Raises:
            InputError: a limit is unknown or not a positive integer.
        """
        names = [field.name for field in fields(cls)]
        for name, value in (config or {}).items():
            if name not in names:
                raise InputError(f"model configuration: unknown key {name!r}; use {', '.join(names)}")
            if type(value) is not int or value < 1:
                raise InputError(f"model configuration: {name} is {value!r}; use a positive integer")
        return cls(**(config or {}))

    def to_config(self) -> dict[str, int]:
        """Return the limits as a model configuration."""
        return asdict(self)
