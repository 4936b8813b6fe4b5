"""Metrics of earlier releases in the project's own MLflow database.

Earlier releases logged about 250 metrics per run, each of which MLflow draws as a chart. MLflow can neither rename
nor delete metrics, so this module edits the tables: the headline metrics receive their present names, so that old
and new runs are compared in the same charts, and the others are deleted. They remain in the run's artifacts.
"""

import re
import sqlite3
from pathlib import Path

from splitpose.settings import PRECISIONS
from splitpose.tracking.database import edit_database
from splitpose.tracking.runs import HISTORY_METRICS

TABLES = ("metrics", "latest_metrics")

RENAMED = {
    **HISTORY_METRICS,
    **{f"pck_{threshold}_mean": f"test/pck_{threshold}_mean" for threshold in ("0.05", "0.1", "0.2")},
    **{f"pck_0.2_{group}": f"test/pck_0.2_{group}" for group in ("elbow", "wrist")},
    "auc_0.2_mean": "test/auc_0.2_mean",
    "parameters": "device/parameters",
    "macs": "device/macs",
    "test_instances": "data/test_instances",
    "pck_0.2_mean_int8": "device/pck_0.2_mean_int8",
    **{
        f"{key}_{precision}": f"device/{key}_{precision}" for key in ("bytes", "p50_ms") for precision in PRECISIONS
    },
}
"""The present name of every former metric that has one; the curves of repeats also have a prefix."""

DELETED = re.compile(
    r"(pck|keras_pck|auc)_0\.\d+_\w+|best_(iteration|train_loss|val_loss)|repeat_\d+/best_(iteration|val_loss|val_pck_0\.2)"
    rf"|[a-z]\w*_({'|'.join(PRECISIONS)})"
)
"""Former metrics without a present name."""

REPEAT = re.compile(r"(repeat_\d+/)?(.+)")
IS_OURS = "run_uuid in (select run_uuid from tags where key = 'splitpose.state')"
"""Condition: the run was created by this project."""
HAS_FILES = "run_uuid in (select run_uuid from tags where key = 'splitpose.files')"
"""Condition: the run has its artifacts, so that no result is lost if a metric is deleted."""


def rename_former_metrics(root: Path) -> int:
    """Rename or delete the former metrics of all runs in one transaction, and return the number of names.

    Without a database or such metrics, nothing is written.

    Args:
        root: the project.

    Raises:
        ExternalServiceError: the database cannot be read or written; it is unchanged.
    """
    return edit_database(root, _former_keys, _rename, "metrics of earlier releases cannot be renamed")


def present_name(key: str) -> str | None:
    """Return the present name of a metric of an earlier release, None if it has none."""
    match = REPEAT.fullmatch(key)
    if match is None or (match[1] and match[2] not in HISTORY_METRICS):
        return None
    name = RENAMED.get(match[2])
    return name and f"{match[1] or ''}{name}"


def _former_keys(database: sqlite3.Connection) -> list[str]:
    """Return the names of former metrics that can be changed, none if the database has no runs yet."""
    tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
    if not {*TABLES, "tags"} <= tables:
        return []
    renamed = [key for key in _keys(database, IS_OURS) if present_name(key)]
    return [
        *renamed,
        *(key for key in _keys(database, HAS_FILES) if not present_name(key) and DELETED.fullmatch(key)),
    ]


def _keys(database: sqlite3.Connection, condition: str) -> list[str]:
    return [key for (key,) in database.execute(f"select distinct key from latest_metrics where {condition}")]


def _rename(database: sqlite3.Connection, key: str) -> None:
    """Rename a metric; delete it if it has no present name, or if a run has both."""
    name = present_name(key)
    condition = IS_OURS if name else HAS_FILES
    for table in TABLES:
        if name:
            database.execute(f"update or ignore {table} set key = ? where key = ? and {condition}", (name, key))
        database.execute(f"delete from {table} where key = ? and {condition}", (key,))
