import hashlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from mlflow.tracking._tracking_service import utils
from support import spot_model

from splitpose.errors import ExternalServiceError
from splitpose.tracking import runs
from splitpose.tracking.model_registry import ModelRegistry
from splitpose.tracking.relocation import COLUMNS, relocate, relocated

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def own_store(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a champion; its path contains a space and the name of the artifact folder."""
    root = tmp_path / "mlartifacts" / "first place"
    root.mkdir(parents=True)
    register(root, "1")
    return root


def register(root: Path, weights: str) -> None:
    """Register and promote a version of a new run, like a process of its own."""
    utils._artifact_repos_cache.clear()  # MLflow's cache of each run's artifact folder
    registry, run = ModelRegistry(root, "tiny"), runs.open_run(root, "tiny", "spot", weights)
    registry.promote(registry.register(run.id, *spot_model.write_pair(root / "spot.tflite", weights)))


def content(root: Path) -> dict[str, str]:
    """Return the hash of the database and of every artifact."""
    files = [root / "mlflow.db", *(path for path in (root / "mlartifacts").rglob("*") if path.is_file())]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def stored_paths(root: Path) -> list[str]:
    """Return all values in the columns with paths."""
    with sqlite3.connect(root / "mlflow.db") as database:
        selects = [f"select {column} from {table}" for table, column in COLUMNS]
        return [value for select in selects for (value,) in database.execute(select) if value]


def downloads(root: Path, folder: Path) -> list[bytes]:
    """Return both files of the champion, like a process of its own."""
    utils._artifact_repos_cache.clear()
    registry = ModelRegistry(root, "tiny")
    champion = registry.champion()
    assert champion is not None
    return [
        registry.download(champion, folder).read_bytes(),
        registry.download_weights(champion, folder).read_bytes(),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("file:///old/mlartifacts", "file:///new%20root/mlartifacts"),
        ("file:///old/mlartifacts/12/artifacts", "file:///new%20root/mlartifacts/12/artifacts"),
        ("/old/mlartifacts/12", "/new root/mlartifacts/12"),
        ("/old/mlruns/0", "/new root/mlruns/0"),
        ("/mlartifacts", "/new root/mlartifacts"),
        ("file:///a/mlartifacts/b/mlartifacts/12", "file:///new%20root/mlartifacts/12"),
        ("file:///new%20root/mlartifacts/12", "file:///new%20root/mlartifacts/12"),
        ("runs:/12/serving/34", "runs:/12/serving/34"),
        ("s3://bucket/mlartifacts/12", "s3://bucket/mlartifacts/12"),
        ("mlflow-artifacts:/12", "mlflow-artifacts:/12"),
        ("file:///old/my_mlartifacts/12", "file:///old/my_mlartifacts/12"),
        ("/old/elsewhere", "/old/elsewhere"),
    ],
)
def test_local_artifact_paths_are_moved_to_the_root(value, expected):
    assert relocated(value, Path("/new root")) == expected


def test_a_moved_project_finds_its_champion_and_writes_into_its_own_folder(project, tmp_path):
    before = downloads(project, tmp_path / "before")
    moved = project.rename(tmp_path / "second place")
    assert downloads(moved, tmp_path / "after") == before
    register(moved, "2")
    assert not project.exists()
    assert len([*(moved / "mlartifacts").iterdir()]) == 2
    assert all(
        str(tmp_path / "second") in value.replace("%20", " ") or ":/" in value for value in stored_paths(moved)
    )
    assert not any("first" in value for value in stored_paths(moved))


def test_a_copy_never_writes_into_the_original(project, tmp_path):
    copy = Path(shutil.copytree(project, tmp_path / "copy"))
    before = content(project)
    shutil.rmtree(copy / "mlartifacts")  # not even if its artifacts were not copied
    register(copy, "1")
    register(copy, "2")
    assert content(project) == before
    assert len([*(copy / "mlartifacts").iterdir()]) == 2
    downloads(copy, tmp_path / "new")
    downloads(project, tmp_path / "old")
    assert content(project) == before


def test_nothing_is_written_where_nothing_changes(project, tmp_path):
    before = content(project), (project / "mlflow.db").stat().st_mtime_ns
    assert relocate(project) == 0
    assert (content(project), (project / "mlflow.db").stat().st_mtime_ns) == before
    assert relocate(tmp_path) == 0
    assert not (tmp_path / "mlflow.db").exists()
    moved = project.rename(tmp_path / "moved")
    assert relocate(moved) >= 2
    assert relocate(moved) == 0


def test_a_database_without_tables_or_of_an_earlier_mlflow_is_accepted(tmp_path):
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute("create table runs (run_uuid text, artifact_uri text)")
        database.execute("insert into runs values ('1', 'file:///old/mlartifacts/1/artifacts')")
    assert relocate(tmp_path) == 1


def test_a_database_that_cannot_be_read_is_reported_in_one_line(tmp_path):
    (tmp_path / "mlflow.db").write_text("no database, but long enough to be one" * 100)
    with pytest.raises(
        ExternalServiceError, match=r"mlflow\.db: paths of artifacts cannot be updated \(.*\)"
    ) as error:
        relocate(tmp_path)
    assert "\n" not in str(error.value)


def test_an_interrupted_update_changes_nothing(project, tmp_path, monkeypatch):
    moved = project.rename(tmp_path / "moved")
    before = content(moved)

    class Interrupted(sqlite3.Connection):
        def execute(self, statement: str, *rest: object) -> sqlite3.Cursor:
            if statement.startswith("update runs"):
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(statement, *rest)

    connect = sqlite3.connect
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, **options, factory=Interrupted))
        with pytest.raises(ExternalServiceError, match="disk I/O error"):
            relocate(moved)
    assert content(moved) == before
    downloads(moved, tmp_path / "new")
