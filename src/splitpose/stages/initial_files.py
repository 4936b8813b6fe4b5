"""The folder models/<variant>/initial: the weights that training starts from, and the record of their origin."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from splitpose import paths
from splitpose.files import read_json, write_json

CHAMPION = "champion"
"""The source of initial weights that stands for the model registry's champion."""

IMAGENET = "imagenet"
"""The source of backbone weights that stands for Keras' download."""


@dataclass(frozen=True)
class Origin:
    """Where weights come from."""

    source: str | None = None
    """A path, "champion" or "imagenet"; None for random weights."""
    version: str | None = None
    """The champion's version in the model registry."""
    sha256: str | None = None
    """The hash of the file."""


@dataclass(frozen=True)
class InitialRecord:
    """The origin of a variant's initial weights, and the number of runs since the last one from scratch."""

    initial_weights: Origin
    """Of all layers."""
    backbone_weights: Origin
    """Of the backbone alone; they are used if there are no initial weights of all layers."""
    runs_since_full: int
    """Number of runs in a row that have started from the champion."""


@dataclass(frozen=True)
class InitialFiles:
    """The files in the folder; those of weights that training does not start from are missing."""

    folder: Path

    @property
    def model_weights(self) -> Path:
        """The weights of all layers."""
        return self.folder / "model.weights.h5"

    @property
    def backbone_weights(self) -> Path:
        """The weights of the backbone."""
        return self.folder / "backbone.weights.h5"

    @property
    def record_file(self) -> Path:
        """The record."""
        return self.folder / paths.initial_weights_record("").name

    def used(self) -> list[Path]:
        """Return the files from which a model inherits what it has seen; ImageNet has none of the images."""
        backbone = self.read_record().backbone_weights.source
        files = [self.model_weights, *([self.backbone_weights] if backbone != IMAGENET else [])]
        return [file for file in files if file.is_file()]

    def write_record(self, record: InitialRecord) -> None:
        """Write the record."""
        write_json(asdict(record), self.record_file)

    def read_record(self) -> InitialRecord:
        """Read the record. Raises InputError if the file is missing or not valid JSON."""
        content: dict[str, Any] = read_json(self.record_file, "the stage initial_weights")
        return InitialRecord(
            Origin(**content["initial_weights"]), Origin(**content["backbone_weights"]), content["runs_since_full"]
        )
