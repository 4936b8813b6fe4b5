"""A checkpoint of a training phase: all that the rest of it depends on, in one file that is whole or not there."""

import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from splitpose.errors import InputError
from splitpose.files import atomic_file

DIGEST = hashlib.sha256().digest_size
"""Bytes at the head of a checkpoint that tell whether the rest is as it was written."""


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds.

    facts: what JSON can hold; numbers come back as they were, to the last bit.
    variables: of the model, its optimizer and its running loss.
    best_weights: the model's, of its best look so far; empty before the first.
    """

    facts: dict[str, Any]
    variables: list[np.ndarray]
    best_weights: list[np.ndarray]


@dataclass(frozen=True)
class Checkpoint:
    """A place for checkpoints of one phase, each replacing the one before.

    `key` says what the phase depends on: a checkpoint with another key is not read.
    """

    path: Path
    key: str

    def write(self, saved: Saved) -> None:
        """Write beside, then rename. Raises OSError, and leaves the checkpoint before, where that fails."""
        named: dict[str, Any] = {"key": self.key, "facts": json.dumps(saved.facts)}
        named |= {f"variable {number}": array for number, array in enumerate(saved.variables)}
        named |= {f"best {number}": array for number, array in enumerate(saved.best_weights)}
        content = BytesIO()
        np.savez(content, **named)
        with atomic_file(self.path) as beside, beside.open("wb") as file:
            file.write(_digest(content.getbuffer()))
            file.write(content.getbuffer())

    def read(self) -> Saved | None:
        """The checkpoint, None if there is none. Raises InputError if it is damaged or has another key."""
        if not self.path.is_file():
            return None
        whole = memoryview(self.path.read_bytes())
        digest, content = whole[:DIGEST], whole[DIGEST:]
        if digest != _digest(content):
            raise InputError(f"{self.path}: a damaged checkpoint")
        with np.load(BytesIO(content)) as file:
            named = {name: file[name] for name in file.files}
        if str(named["key"]) != self.key:
            raise InputError(f"{self.path}: a checkpoint of other settings, crops, weights or code")
        return Saved(
            json.loads(str(named["facts"])),
            [array for name, array in named.items() if name.startswith("variable ")],
            [array for name, array in named.items() if name.startswith("best ")],
        )

    def delete(self) -> None:
        """Delete the checkpoint, once the phase's outputs are written."""
        self.path.unlink(missing_ok=True)


def _digest(content: Any) -> bytes:
    return hashlib.sha256(content).digest()
