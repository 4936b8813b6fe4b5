"""What both training stages do: the seeded model, its crops, a progress bar, the run in MLflow."""

from pathlib import Path
from typing import Literal

import keras
import numpy as np
import tensorflow as tf
from rich.progress import Progress

from splitpose import models
from splitpose.crops import records
from splitpose.progress import bar
from splitpose.settings import Profile, VariantOverride
from splitpose.tracking import live_run
from splitpose.training import phase
from splitpose.training.phase import People, Row, Watcher


def start(variant: str, profile: Profile) -> keras.Model:
    """The variant's model with weights drawn from the seed; everything after is deterministic."""
    keras.utils.set_random_seed(profile.training.seed)
    tf.config.experimental.enable_op_determinism()
    # Grappler's memory pass adds three gradients up in the order in which threads bring them: seen to differ.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    return models.build(
        variant,
        size=profile.crops.size,
        width=profile.model.width,
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
    first_iteration: int,
) -> list[Row]:
    """Run one phase on the crops; the rows of its looks."""
    settings = phase.settings_for(profile.training, name, override)
    validation = list(records.read(crops, "val", profile.crops.size))
    people = People(np.stack([crop.pixels for crop in validation]), np.stack([crop.joints for crop in validation]))
    seed = profile.training.seed + first_iteration
    with bar("crops", profile.training.batch) as progress, live_run(variant) as log:
        return phase.run(
            model,
            models.codec(variant, profile.crops.size, profile.training.heatmap_width),
            records.training_batches(crops, profile.crops.size, profile.training.batch, seed),
            people,
            name,
            profile.training,
            settings,
            first_iteration,
            _both(
                _shown(progress, f"{variant}: {name}", settings.iterations),
                Watcher(look=log),
            ),
        )


def _shown(progress: Progress, title: str, iterations: int) -> Watcher:
    """A watcher that moves a progress bar and prints a line a look."""
    task = progress.add_task(title, total=iterations)

    def step(iteration: int, loss: float) -> None:
        progress.advance(task)

    def look(row: Row) -> None:
        progress.console.print(
            f"{title}: iteration {row['iteration']}, train loss {row['train_loss']:.3g}, "
            f"val loss {row['val_loss']:.3g}, val PCK@0.2 {row['val_pck_0.2']:.1f}",
            soft_wrap=True,
        )

    return Watcher(step, look)


def _both(first: Watcher, second: Watcher) -> Watcher:
    """A watcher that tells two."""

    def step(iteration: int, loss: float) -> None:
        first.step(iteration, loss)
        second.step(iteration, loss)

    def look(row: Row) -> None:
        first.look(row)
        second.look(row)

    return Watcher(step, look)
