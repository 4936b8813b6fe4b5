"""Whether a state of a variant was trained in this workspace, or DVC restored it from its cache.

A stage that is restored runs no code, so training leaves a mark, beside DVC's own temporary files.
"""

from pathlib import Path

TRAINED = "trained"
RESTORED = "restored from DVC's cache"

FOLDER = Path(".dvc/tmp/trained")


def mark(root: Path, state: str) -> None:
    """Note that the state is being trained in the project `root`."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    (root / FOLDER / state).touch()


def here(root: Path, state: str) -> bool:
    """Whether the state was trained in the project `root`."""
    return (root / FOLDER / state).exists()
