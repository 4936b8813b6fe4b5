"""What both training stages do: the seeded model, its crops, a progress bar, the run in MLflow, checkpoints."""

import hashlib
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from rich.progress import Progress

from splitpose import models
from splitpose.crops import tfrecords
from splitpose.errors import InputError
from splitpose.files import atomic_file
from splitpose.progress import bar
from splitpose.settings import Profile, VariantOverride
from splitpose.tracking import live_run
from splitpose.training import history, phase
from splitpose.training.batches import training_batches, training_ids
from splitpose.training.checkpoint import Checkpoint
from splitpose.training.phase import LossError, People, Row, Stopped, Watcher

COMPUTING = ("codecs", "crops", "models", "scoring", "skeleton", "stages", "training")
"""The rooms whose code a phase's outcome depends on."""


def start(variant: str, profile: Profile) -> keras.Model:
    """The variant's model with weights drawn from the seed; everything after is deterministic."""
    keras.utils.set_random_seed(profile.training.seed)
    tf.config.experimental.enable_op_determinism()
    return models.build(
        variant,
        size=profile.crops.size,
        width=profile.model.width_multiplier,
        momentum=profile.model.batchnorm_momentum,
        split=profile.model.split,
    )


def train(
    model: keras.Model,
    variant: str,
    name: Literal["frozen", "fine_tune"],
    profile: Profile,
    override: VariantOverride,
    crops: Path,
    before: pd.DataFrame,
    weights: Path,
    curve: Path,
) -> None:
    """Run one phase on the crops; write its weights, and the rows of its looks after those of the phase before.

    A phase that was killed, or asked to stop by SIGTERM or Ctrl-C, goes on at the next run. Its checkpoint lies
    beside the weights, where DVC leaves it alone, until they are written.

    Raises:
        InputError: the loss is no number any more; names the people of its batch.
        SystemExit: asked to stop, with a line that says so.
    """
    settings = phase.settings_for(profile.training, name, override)
    batch, size = profile.training.batch_size, profile.crops.size
    first_iteration = 0 if before.empty else int(before["iteration"].iloc[-1])
    seed = profile.training.seed + first_iteration
    validation = list(tfrecords.read(crops, "val"))
    people = People(np.stack([crop.pixels for crop in validation]), np.stack([crop.joints for crop in validation]))
    checkpoint = Checkpoint(
        weights.parent / f"{name}.checkpoint", _key(model, variant, name, profile, settings, crops, seed)
    )
    try:
        with bar("crops", batch) as progress, live_run(variant) as log, _asked_to_stop() as stop:
            rows = phase.run(
                model,
                models.build_codec(variant, size, profile.training.heatmap_fwhm, profile.model.decoding),
                lambda position: training_batches(crops, size, batch, seed, position),
                people,
                name,
                profile.training,
                settings,
                first_iteration,
                _both(
                    _shown(progress, f"{variant}: {name}", settings.iterations, first_iteration),
                    Watcher(look=log),
                ),
                checkpoint,
                stop,
            )
    except LossError as error:
        ids = ", ".join(sorted(set(training_ids(crops, batch, seed, error.position))))
        raise InputError(f"{error}; the people of its batch: {ids}") from error
    except Stopped as stopped:
        sys.exit(f"{variant}: {name}: {stopped}")
    with atomic_file(weights) as beside:
        model.save_weights(beside)
    history.write(pd.concat([before, pd.DataFrame(rows)]), curve)
    checkpoint.delete()


def _key(
    model: keras.Model,
    variant: str,
    name: str,
    profile: Profile,
    settings: Any,
    crops: Path,
    seed: int,
) -> str:
    """A digest of all that the phase depends on: settings, names of the crops' files, first weights, code."""
    facts = {
        "phase": [variant, name, seed],
        "settings": settings.model_dump(),
        "shared": profile.training.model_dump(exclude={"frozen", "fine_tune"}),
        "model": profile.model.model_dump(),
        "crops": [Path(file).name for split in ("train", "val") for file in tfrecords.list_shards(crops, split)],
        "libraries": [version(library) for library in ("keras", "tensorflow", "numpy")],
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for array in model.get_weights():
        digest.update(array.tobytes())
    for room, module in sorted(sys.modules.items()):
        if room.startswith(tuple(f"splitpose.{one}" for one in COMPUTING)) and module.__file__:
            digest.update(Path(module.__file__).read_bytes())
    return digest.hexdigest()


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """A function that says whether SIGTERM or Ctrl-C has come; when one comes again, the process ends at once."""
    came: list[int] = []

    def remember(number: int, frame: Any) -> None:
        came.append(number)
        signal.signal(number, before[number])

    before: dict[int, Any] = {}
    for asked in (signal.SIGINT, signal.SIGTERM):
        before[asked] = signal.signal(asked, remember)
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _shown(progress: Progress, title: str, iterations: int, first_iteration: int) -> Watcher:
    """A watcher that moves a progress bar and prints a line a look."""
    task = progress.add_task(title, total=iterations)

    def step(iteration: int, loss: float) -> None:
        progress.update(task, completed=iteration - first_iteration)

    def look(row: Row) -> None:
        note(
            f"iteration {row['iteration']}, train loss {row['train_loss']:.3g}, "
            f"val loss {row['val_loss']:.3g}, val PCK@0.2 {row['val_pck_0.2']:.1f}"
            f"{' (averaged weights)' if row['averaged'] else ''}"
        )

    def note(line: str) -> None:
        progress.console.print(f"{title}: {line}", soft_wrap=True)

    return Watcher(step, look, note)


def _both(first: Watcher, second: Watcher) -> Watcher:
    """A watcher that tells two."""

    def step(iteration: int, loss: float) -> None:
        first.step(iteration, loss)
        second.step(iteration, loss)

    def look(row: Row) -> None:
        first.look(row)
        second.look(row)

    def note(line: str) -> None:
        first.note(line)
        second.note(line)

    return Watcher(step, look, note)
