"""The files that a training stage writes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from splitpose.files import write_json


@dataclass(frozen=True)
class PhaseOutputs:
    """The files that a training stage writes."""

    weights: Path
    history: Annotated[Path, "--curve"]
    """Training history as CSV."""
    time: Path
    """Wall-clock time of the phase as JSON."""

    def write_time(self, stage: str, seconds: float | None) -> None:
        """Write the duration of a stage (None: unknown) and the MD5 of the weights that it took this long to train.

        DVC does not restore this file with the weights, because its contents differ every time.
        """
        md5 = hashlib.md5(self.weights.read_bytes()).hexdigest()
        write_json({f"{stage}_seconds": seconds, "weights_md5": md5}, self.time)
