"""Artifact paths in the project's own MLflow database, after the project folder was moved or copied.

MLflow stores absolute paths. In a moved project they name files that no longer exist; in a copied one they name the
original's files, which new runs would then change. Artifacts of the project are always in its own folder, so paths
into the artifact folder of another root are replaced by paths into that of the present one.
"""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from splitpose.tracking.database import edit_database

COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Tables and columns of MLflow's database that contain paths of artifacts."""

ARTIFACT_PATH = re.compile(r"^(?P<root>(?:file://)?/(?:.*/)?)(?P<path>(?:mlartifacts|mlruns)(?:/.*)?)$")
"""A local path or file URI into an artifact folder: ours, or that of MLflow's default experiment."""

Change = tuple[str, str, str, str]
"""Table, column, value in the database, and the value that replaces it."""


def relocate(root: Path) -> int:
    """Replace the paths of other roots in the project's database in one transaction, and return their number.

    Without a database, or if all paths are below the root, nothing is written.

    Args:
        root: the project.

    Raises:
        ExternalServiceError: the database cannot be read or written; it is unchanged.
    """
    return edit_database(
        root, lambda database: _changes(database, root), _replace, "paths of artifacts cannot be updated"
    )


def relocated(value: str, root: Path) -> str:
    """Return a path or file URI of an artifact below the root, and any other value unchanged."""
    match = ARTIFACT_PATH.match(value)
    if match is None:
        return value
    folder = root.resolve().as_uri() if value.startswith("file://") else str(root.resolve())
    return f"{folder.rstrip('/')}/{match['path']}"


def _changes(database: sqlite3.Connection, root: Path) -> list[Change]:
    """Return the values that have to be replaced, each once."""
    return [
        (table, column, value, new)
        for table, column in _existing_columns(database)
        for (value,) in database.execute(f"select distinct {column} from {table} where {column} is not null")
        if (new := relocated(value, root)) != value
    ]


def _replace(database: sqlite3.Connection, change: Change) -> None:
    table, column, old, new = change
    database.execute(f"update {table} set {column} = ? where {column} = ?", (new, old))


def _existing_columns(database: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield those of COLUMNS that the database has; earlier versions of MLflow have fewer."""
    for table, column in COLUMNS:
        if any(name == column for _, name, *_ in database.execute(f"pragma table_info({table})")):
            yield table, column
