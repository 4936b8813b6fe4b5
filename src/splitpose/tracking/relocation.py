"""Artifact paths in the project's own MLflow database, after the project folder was moved or copied.

MLflow stores absolute paths. In a moved project they name files that no longer exist; in a copied one they name the
original's files, which new runs would then change. Artifacts of the project are always in its own folder, so paths
into the artifact folder of another root are replaced by paths into that of the present one.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from splitpose.errors import ExternalServiceError

DATABASE = "mlflow.db"
"""The project's own MLflow database."""

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

TIMEOUT = 30.0
"""Seconds to wait for another process that writes to the database."""

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
    path = root / DATABASE
    if not path.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=TIMEOUT)) as database:
            if not _changes(database, root):
                return 0
        with closing(sqlite3.connect(path, timeout=TIMEOUT, isolation_level=None)) as database:
            database.execute("begin immediate")
            changes = _changes(database, root)  # again, because another process may have made them
            for table, column, old, new in changes:
                database.execute(f"update {table} set {column} = ? where {column} = ?", (new, old))
            database.execute("commit")
            return len(changes)
    except sqlite3.Error as error:
        raise ExternalServiceError(
            f"{path}: paths of artifacts cannot be updated ({error}); check its permissions and try again"
        ) from error


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


def _existing_columns(database: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield those of COLUMNS that the database has; earlier versions of MLflow have fewer."""
    for table, column in COLUMNS:
        if any(name == column for _, name, *_ in database.execute(f"pragma table_info({table})")):
            yield table, column
