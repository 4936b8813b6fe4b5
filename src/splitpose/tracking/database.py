"""Edits of the project's own MLflow database that MLflow's API does not offer."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from splitpose.errors import ExternalServiceError

DATABASE = "mlflow.db"
"""The project's own MLflow database."""

TIMEOUT = 30.0
"""Seconds to wait for another process that writes to the database."""

Change = TypeVar("Change")


def edit_database(
    root: Path,
    find: Callable[[sqlite3.Connection], Sequence[Change]],
    apply: Callable[[sqlite3.Connection, Change], None],
    failure: str,
) -> int:
    """Make the necessary changes in one transaction, and return their number.

    Without a database or changes, nothing is written.

    Args:
        root: the project.
        find: returns the necessary changes. It is called again within the transaction, because another process may
            have made them in the meantime.
        apply: makes a change.
        failure: what cannot be done after an error, for its message.

    Raises:
        ExternalServiceError: the database cannot be read or written; it is unchanged.
    """
    path = root / DATABASE
    if not path.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=TIMEOUT)) as database:
            if not find(database):
                return 0
        with closing(sqlite3.connect(path, timeout=TIMEOUT, isolation_level=None)) as database:
            database.execute("begin immediate")
            changes = find(database)
            for change in changes:
                apply(database, change)
            database.execute("commit")
            return len(changes)
    except sqlite3.Error as error:
        raise ExternalServiceError(f"{path}: {failure} ({error}); check its permissions and try again") from error
