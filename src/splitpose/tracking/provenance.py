"""Provenance of a variant's results: trained in this workspace, or restored from DVC's cache.

A stage whose results DVC restores runs no code, so training records the state as an empty file in DVC's folder of
temporary files.
"""

from pathlib import Path

TRAINED = "trained"
RESTORED = "restored from DVC's cache"
"""The two values of MLflow's tag splitpose.origin."""

FOLDER = Path(".dvc/tmp/trained")


def record_training(root: Path, state: str) -> None:
    """Record that the state is trained in the workspace `root`."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    (root / FOLDER / state).touch()


def was_trained(root: Path, state: str) -> bool:
    """Return whether the state was trained in the workspace `root`."""
    return (root / FOLDER / state).exists()
