"""Reading of earlier stages' outputs; errors name the file and the stage that writes it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splitpose import paths
from splitpose.errors import InputError
from splitpose.files import read_json


def existing(path: Path, stage: str) -> Path:
    """Return the path.

    Raises:
        InputError: there is no such file; the stage that writes it is named.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; `dvc repro {stage}` writes it")
    return path


def existing_repeat(folder: Path, path_of: Callable[[str, int], Path], variant: str, repeat: int) -> Path:
    """Return the path of an existing file of a repeat.

    Args:
        folder: the folder of the variant's repeats, with the layout of `paths.repeats`.
        path_of: the function of `paths` that returns the file's usual path.
        variant: the variant.
        repeat: number of the repeat.

    Raises:
        InputError: there is no such file; the stage that writes it is named.
    """
    path = folder / path_of(variant, repeat).relative_to(paths.repeats(variant))
    return existing(path, f"fine_tune@{variant}-{repeat}")


@dataclass(frozen=True)
class Reports:
    """A reports folder, with the layout of `splitpose.paths`."""

    root: Path

    def path(self, path: Path) -> Path:
        """Return the path in this folder that corresponds to a path below `paths.REPORTS`."""
        return self.root / path.relative_to(paths.REPORTS)

    def existing(self, path: Path, stage: str) -> Path:
        """Return the corresponding path of an existing file; raises InputError as `existing` does."""
        return existing(self.path(path), stage)

    def read_json(self, path: Path, stage: str) -> Any:
        """Read a JSON file.

        Raises:
            InputError: the file is missing or invalid; the stage that writes it is named.
        """
        return read_json(self.path(path), produced_by=f"`dvc repro {stage}`")

    def read_variants(self, path_of: Callable[[str], Path], stage: str, variants: Iterable[str]) -> dict[str, Any]:
        """Read the JSON file of each variant that a stage with the variants as its matrix writes."""
        return {variant: self.read_json(path_of(variant), f"{stage}@{variant}") for variant in variants}
