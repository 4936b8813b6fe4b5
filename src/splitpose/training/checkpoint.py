"""The checkpoint of a training phase: everything that the rest of the phase depends on, in one file."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import keras
import numpy as np

from splitpose.errors import InputError
from splitpose.evaluation.training_history import HistoryRow
from splitpose.files import atomic_file
from splitpose.settings import RunConfig

DIGEST_SIZE = hashlib.sha256().digest_size
"""Size in bytes of the digest at the beginning of a checkpoint, which detects damage."""

PACKAGE = Path(__file__).parents[1]

CODE = (
    "codecs.py",
    "crops/crop.py",
    "crops/tfrecords.py",
    "evaluation/pck.py",
    "models/layers/backbone.py",
    "models/layers/batch_norm.py",
    "models/layers/coordinate_head.py",
    "models/from_profile.py",
    "models/layers/heatmap_head.py",
    "models/layers/jointwise.py",
    "models/layers/pointwise.py",
    "models/predict.py",
    "models/registry.py",
    "models/variants/{variant}.py",
    "skeleton.py",
    "training/batches.py",
    "training/callbacks.py",
    "training/checkpoint.py",
    "training/devices.py",
    "training/loop.py",
    "training/loss.py",
    "training/phase.py",
    "training/schedule.py",
)
"""The modules of splitpose that determine the result of a training phase from its initial weights. A change to
others, such as the progress display, leaves a checkpoint valid."""


@dataclass
class TrainingState:
    """The progress of a phase."""

    done: int = 0
    """Number of iterations done in the phase."""
    train_loss: float = 0.0
    """Mean training loss since the last validation step."""
    rows: list[HistoryRow] = field(default_factory=list)
    """The validation steps so far."""
    best_weights: list[np.ndarray] = field(default_factory=list)
    """The model's weights at the best validation step; empty before the first one."""


@dataclass(frozen=True)
class Checkpoint:
    """The file of a phase's checkpoint; each checkpoint replaces the one before.

    Args:
        path: path of the file.
        key: identifies everything that the phase depends on; a checkpoint with another key is not read.
    """

    path: Path
    key: str

    def write(self, state: TrainingState, variables: Sequence[np.ndarray]) -> None:
        """Write the state, and the variables of the model, its optimizer and its metrics.

        Raises:
            OSError: the file cannot be written; the previous checkpoint is kept.
        """
        progress = {"done": state.done, "train_loss": state.train_loss, "rows": state.rows}
        arrays: dict[str, Any] = {"key": self.key, "state": json.dumps(progress)}
        arrays |= {f"variable {index}": array for index, array in enumerate(variables)}
        arrays |= {f"best {index}": array for index, array in enumerate(state.best_weights)}
        content = BytesIO()
        np.savez(content, **arrays)
        with atomic_file(self.path) as temporary, temporary.open("wb") as file:
            file.write(_digest(content.getbuffer()))
            file.write(content.getbuffer())

    def read(self) -> tuple[TrainingState, list[np.ndarray]] | None:
        """Read the state and the variables, None if there is no checkpoint.

        Raises:
            InputError: the checkpoint is damaged or has another key.
        """
        if not self.path.is_file():
            return None
        file_content = memoryview(self.path.read_bytes())
        digest, content = file_content[:DIGEST_SIZE], file_content[DIGEST_SIZE:]
        if digest != _digest(content):
            raise InputError(f"{self.path}: damaged checkpoint")
        with np.load(BytesIO(content)) as file:
            arrays = {name: file[name] for name in file.files}
        if str(arrays["key"]) != self.key:
            raise InputError(f"{self.path}: checkpoint of other settings, crops, initial weights or code")
        best = [array for name, array in arrays.items() if name.startswith("best ")]
        state = TrainingState(**json.loads(str(arrays["state"])), best_weights=best)
        return state, [array for name, array in arrays.items() if name.startswith("variable ")]

    def delete(self) -> None:
        """Delete the checkpoint, once the phase's outputs are written."""
        self.path.unlink(missing_ok=True)


def checkpoint_key(model: keras.Model, config: RunConfig, phase: str, shards: Sequence[str], seed: int) -> str:
    """Return a digest of everything that determines the result of a phase.

    Args:
        model: the model before the phase.
        config: the run's configuration.
        phase: name of the phase.
        shards: paths of the training and validation shards, whose names identify their content.
        seed: seed of the batches.
    """
    training = config.profile.training
    determinants = {
        "phase": [config.variant, phase, seed],
        "settings": getattr(training, phase).model_dump(),
        "shared": training.model_dump(exclude={"repeats", "frozen", "fine_tune", "warm_start"}),
        "model": config.profile.model.model_dump(),
        "trainable": [weight.path for weight in model.trainable_variables],
        "shards": [Path(shard).name for shard in shards],
        "libraries": [version(library) for library in ("keras", "tensorflow", "numpy")],
    }
    digest = hashlib.sha256(json.dumps(determinants, sort_keys=True).encode())
    for array in model.get_weights():
        digest.update(array.tobytes())
    for path in code_files(config.variant):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def code_files(variant: str) -> list[Path]:
    """Return the source files that determine the result of a variant's training."""
    return [PACKAGE / module.format(variant=variant) for module in CODE]


def _digest(content: Any) -> bytes:
    return hashlib.sha256(content).digest()
