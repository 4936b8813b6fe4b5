"""select: select the repeat of a variant that is best on the validation split, to be evaluated and exported."""

import logging
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from splitpose import paths
from splitpose.evaluation import training_history
from splitpose.evaluation.repeat_selection import select_repeat
from splitpose.files import atomic_file, write_json
from splitpose.settings import Profile, load, load_repeats, repeat_seed
from splitpose.stages.command import run
from splitpose.stages.stage_outputs import existing_repeat

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SelectionOutputs:
    """Files that the stage writes."""

    weights: Path
    """Weights of the selected repeat."""
    history: Annotated[Path, "--curve"]
    """Training history of the selected repeat."""
    selection: Annotated[Path, "--out"]
    """The selected repeat, and the validation results of all of them, JSON."""


def select(profile: Path, params: Path, variant: str, repeats: Path, outputs: SelectionOutputs) -> None:
    """Select the best repeat of a variant on the validation split.

    Raises:
        InputError: a repeat that params.yaml lists has not been trained.
    """
    numbers, seed = load_repeats(profile, params), load(Profile, profile).training.seed
    weights = {number: existing_repeat(repeats, paths.repeat_weights, variant, number) for number in numbers}
    history_paths = {number: existing_repeat(repeats, paths.repeat_history, variant, number) for number in numbers}
    histories = {number: training_history.read(path) for number, path in history_paths.items()}
    _remove_unlisted(repeats, numbers)
    selected = select_repeat(histories)

    for source, target in ((weights[selected], outputs.weights), (history_paths[selected], outputs.history)):
        with atomic_file(target) as temporary:
            shutil.copyfile(source, temporary)
    results = {}
    for number, history in histories.items():
        best = training_history.best_row(history)
        results[str(number)] = {
            "seed": repeat_seed(seed, number),
            "val_pck_0.2": float(best["val_pck_0.2"]),
            "val_loss": float(best["val_loss"]),
            "iteration": int(best["iteration"]),
        }
    write_json({"selected": selected, "repeats": results}, outputs.selection)
    scores = ", ".join(f"{number}: {result['val_pck_0.2']:.1f}" for number, result in results.items())
    logger.info("%s: repeat %d selected; validation PCK@0.2 by repeat: %s", variant, selected, scores)


def _remove_unlisted(folder: Path, numbers: Collection[int]) -> None:
    """Delete the results of repeats that are no longer listed, of which DVC's cache has copies.

    DVC records the hash of the folder, which would otherwise depend on what was trained before.
    """
    listed = {str(number) for number in numbers}
    for path in folder.glob("*/*"):
        if path.parent.name not in listed and path.suffix != ".checkpoint":
            path.unlink()


if __name__ == "__main__":
    run(select)
