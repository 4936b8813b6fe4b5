"""The files that a training stage writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated


@dataclass(frozen=True)
class PhaseOutputs:
    """The files that a training stage writes."""

    weights: Path
    history: Annotated[Path, "--curve"]
    """Training history as CSV."""
    time: Path
    """Wall-clock time of the phase as JSON."""
