import sqlite3
from pathlib import Path

import pytest

from splitpose.errors import ExternalServiceError
from splitpose.tracking.former_metrics import present_name, rename_former_metrics


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose database has a complete run a, a run b without artifacts, and a foreign run c."""
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute("create table tags (run_uuid, key, value)")
        database.execute("create table metrics (key, value, step, run_uuid, primary key (key, step, run_uuid))")
        database.execute("create table latest_metrics (key, value, step, run_uuid, primary key (key, run_uuid))")
        tags = [("a", "splitpose.state"), ("a", "splitpose.files"), ("b", "splitpose.state")]
        database.executemany("insert into tags values (?, ?, '1')", tags)
        for run in "abc":
            for key, steps in (
                ("val_loss", (10, 20)),
                ("pck_0.2_mean", (0,)),
                ("pck_0.2_leye", (0,)),
                ("mine", (0,)),
            ):
                for step in steps:
                    database.execute("insert into metrics values (?, 1.5, ?, ?)", (key, step, run))
                database.execute("insert into latest_metrics values (?, 1.5, ?, ?)", (key, steps[-1], run))
    return tmp_path


def keys(root: Path, run: str, table: str) -> list[str]:
    with sqlite3.connect(root / "mlflow.db") as database:
        found = database.execute(f"select key from {table} where run_uuid = ? order by key", [run])
        return [key for (key,) in found]


def test_metrics_of_earlier_releases_are_renamed_or_deleted(root: Path) -> None:
    assert rename_former_metrics(root) == 3
    assert keys(root, "a", "metrics") == ["mine", "test/pck_0.2_mean", "val/loss", "val/loss"]
    assert keys(root, "a", "latest_metrics") == ["mine", "test/pck_0.2_mean", "val/loss"]
    assert keys(root, "b", "latest_metrics") == ["mine", "pck_0.2_leye", "test/pck_0.2_mean", "val/loss"]
    assert keys(root, "c", "latest_metrics") == ["mine", "pck_0.2_leye", "pck_0.2_mean", "val_loss"]
    assert rename_former_metrics(root) == 0


def test_a_metric_under_both_names_remains_once(root: Path) -> None:
    with sqlite3.connect(root / "mlflow.db") as database:
        database.execute("insert into latest_metrics values ('val/loss', 2.5, 20, 'a')")
    rename_former_metrics(root)
    with sqlite3.connect(root / "mlflow.db") as database:
        select = "select value from latest_metrics where key = 'val/loss' and run_uuid = 'a'"
        assert database.execute(select).fetchall() == [(2.5,)]


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ("val_loss", "val/loss"),
        ("repeat_2/train_loss", "repeat_2/train/loss"),
        ("auc_0.2_mean", "test/auc_0.2_mean"),
        ("p50_ms_int8", "device/p50_ms_int8"),
        ("p95_ms_int8", None),
        ("repeat_1/best_iteration", None),
        ("val/loss", None),
    ],
)
def test_present_names(former: str, present: str | None) -> None:
    assert present_name(former) == present


def test_a_project_without_runs_is_left_alone(tmp_path: Path) -> None:
    assert rename_former_metrics(tmp_path) == 0
    assert not (tmp_path / "mlflow.db").exists()
    sqlite3.connect(tmp_path / "mlflow.db").close()
    assert rename_former_metrics(tmp_path) == 0


def test_a_damaged_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database" * 100)
    with pytest.raises(ExternalServiceError, match=r"mlflow.db: metrics of earlier releases cannot be renamed"):
        rename_former_metrics(tmp_path)
