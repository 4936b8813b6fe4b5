"""initial_weights: collect the weights that the training of a variant starts from.

They come from places that other machines may lack (a path outside the project, the model registry, Keras' cache),
so the stage copies them into an output. It runs when the crops or the settings change, and only then looks up the
champion: with unchanged data there is nothing to train.
"""

import hashlib
import logging
import os
import shutil
from pathlib import Path

from splitpose.errors import ExternalServiceError, InputError
from splitpose.files import atomic_folder
from splitpose.settings import Profile, RunConfig
from splitpose.stages.command import run
from splitpose.stages.initial_files import CHAMPION, IMAGENET, InitialFiles, InitialRecord, Origin

logger = logging.getLogger(__name__)

VARIABLE = "SPLITPOSE_INITIAL_WEIGHTS"
"""Environment variable that replaces model.initial_weights for this run of the stage: champion, none or a path."""

FROM_SCRATCH = "none"
"""Value of the variable for training from scratch."""


def initial_weights(config: RunConfig, out: Path) -> None:
    """Collect the weights that the training of a variant starts from, and record their origin."""
    profile, previous = config.profile, InitialFiles(out)
    setting = profile.model.initial_weights
    source = requested_source(os.environ.get(VARIABLE), setting)
    runs = previous.read_record().runs_since_full if previous.record_file.is_file() else 0
    full = setting if setting != CHAMPION else None
    if source == CHAMPION and runs + 1 >= profile.retraining.full_every:
        logger.info(
            "%s: every %d runs, one does not start from the champion", config.variant, profile.retraining.full_every
        )
        source = full
    with atomic_folder(out) as folder:
        files = InitialFiles(folder)
        origin = _collect_initial_weights(config.profile_name, source, files.model_weights)
        if source == CHAMPION and origin.source is None:
            origin = _collect_initial_weights(config.profile_name, full, files.model_weights)
        backbone = Origin() if origin.source else _collect_backbone_weights(profile, files.backbone_weights)
        runs = runs + 1 if origin.source == CHAMPION else 0
        files.write_record(InitialRecord(origin, backbone, runs))
    logger.info("%s: %s", config.variant, describe(origin, backbone))


def requested_source(variable: str | None, setting: str | None) -> str | None:
    """Return the source of the initial weights: "champion", a path, or None for training from scratch.

    Args:
        variable: the value of the environment variable VARIABLE, which takes precedence, None if it is not set.
        setting: model.initial_weights.
    """
    if variable is None:
        return setting
    return None if variable == FROM_SCRATCH else variable


def describe(origin: Origin, backbone: Origin) -> str:
    """Describe in words what training starts from."""
    if origin.source == CHAMPION:
        return f"starts from the champion, version {origin.version}"
    if origin.source:
        return f"starts from {origin.source}"
    return f"starts from scratch, with a backbone of {backbone.source or 'random'} weights"


def _collect_initial_weights(profile: str, source: str | None, path: Path) -> Origin:
    """Copy the initial weights of all layers to `path`, if there are any, and return their origin."""
    if source is None:
        return Origin()
    if source == CHAMPION:
        return _collect_champion(profile, path)
    return _copy(
        "model.initial_weights", source, Path(source), path, "use null, champion or the path of a weights file"
    )


def _collect_champion(profile: str, path: Path) -> Origin:
    """Copy the champion's weights to `path`, if there is a champion and it has weights, and return their origin."""
    from splitpose.tracking.model_registry import ModelRegistry  # MLflow takes seconds to import

    # An experiment in a temporary folder sets DVC_ROOT to the project, which contains MLflow's database.
    registry = ModelRegistry(Path(os.environ.get("DVC_ROOT", Path.cwd())), profile)
    champion = registry.champion()
    if champion is None:
        logger.info("there is no champion yet")
        return Origin()
    try:
        downloaded = registry.download_weights(champion, path.parent / "champion")
    except ExternalServiceError:
        raise
    except InputError as error:
        logger.warning("warning: the champion's weights cannot be used: %s", error)
        return Origin()
    downloaded.replace(path)
    downloaded.parent.rmdir()
    return Origin(CHAMPION, champion.number, _sha256(path))


def _collect_backbone_weights(profile: Profile, path: Path) -> Origin:
    """Copy the backbone's weights to `path`, if there are any, and return their origin."""
    source = profile.model.backbone_weights
    if source == "random":
        return Origin()
    if source == IMAGENET:
        from splitpose.models.imagenet import fetch_imagenet_weights

        file = fetch_imagenet_weights(profile.model.width_multiplier)
    else:
        file = Path(source)
    return _copy("model.backbone_weights", source, file, path, "use random, imagenet or the path of a weights file")


def _copy(key: str, source: str, file: Path, path: Path, remedy: str) -> Origin:
    """Copy a weights file. Raises InputError with the key and the remedy if there is no such file."""
    file = file.expanduser()
    if not file.is_file():
        raise InputError(f"{key}: {file}: no such file; {remedy}")
    shutil.copyfile(file, path)
    return Origin(source, None, _sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    run(initial_weights)
