import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import spot_model
from support.servers import mlflow_server

from splitpose.errors import ExternalServiceError, InputError
from splitpose.inference.metadata import Metadata, embed_metadata
from splitpose.tracking.model_registry import HISTORY, Registry, Version
from splitpose.tracking.runs import connect, open_run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with MLflow's database; each test has a profile of its own in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield tmp_path_factory.mktemp("project")


@pytest.fixture
def registry(root: Path, request: pytest.FixtureRequest) -> Registry:
    return Registry(root, request.node.name.split("[")[0])


@pytest.fixture(scope="module")
def content() -> bytes:
    return spot_model.content()


@pytest.fixture
def tflite(content: bytes, tmp_path: Path) -> Path:
    return rewritten(tmp_path / "float32.tflite", content, "a")


def rewritten(path: Path, content: bytes, weights: str) -> Path:
    """The file as of other weights: the same model with other bytes."""
    facts = spot_model.FACTS | {"weights_sha256": weights}
    path.write_bytes(embed_metadata(content, Metadata.model_validate(facts)))
    return path


def run_of(registry: Registry, state: str = "1") -> str:
    return open_run(registry.root, registry.name, "spot", f"{registry.name} {state}").id


def register(registry: Registry, content: bytes, folder: Path, count: int) -> list[Version]:
    """So many versions, of one run each."""
    return [
        registry.register(run_of(registry, str(n)), rewritten(folder / f"{n}.tflite", content, str(n)))
        for n in range(count)
    ]


def stored(root: Path) -> tuple[list[str], set[Path]]:
    """Everything in MLflow's database and folder, but no times."""
    with sqlite3.connect(root / "mlflow.db") as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        rows = [f"{table}: {row}" for table in tables for row in database.execute(f"select * from {table}")]
    return sorted(rows), set((root / "mlartifacts").rglob("*"))


def test_asking_makes_no_store(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    registry = Registry(tmp_path, "any")
    assert (registry.champion(), registry.challenger(), registry.versions()) == (None, None, [])
    with pytest.raises(InputError, match="splitpose-any: no earlier champion"):
        registry.rollback()
    assert list(tmp_path.iterdir()) == []


def test_what_is_registered_is_the_challenger_with_what_its_card_says(registry, tflite):
    run = run_of(registry)
    version = registry.register(run, tflite)
    assert (version.number, version.run, version.variant, version.precision) == ("1", run, "spot", "float32")
    assert version.sha256 == hashlib.sha256(tflite.read_bytes()).hexdigest()
    assert registry.challenger() == version
    assert registry.versions() == [version]
    assert registry.champion() is None


def test_registering_and_promoting_again_changes_nothing(registry, tflite):
    run = run_of(registry)
    first = registry.register(run, tflite)
    registry.promote(first)
    registry.tag(first, {"a": "b"})
    before = stored(registry.root)
    again = registry.register(run, tflite)
    assert (again.number, again.tags["a"]) == ("1", "b")
    registry.promote(again)
    registry.tag(again, {"a": "b"})
    assert stored(registry.root) == before


def test_another_run_or_other_bytes_are_another_version(registry, content, tflite, tmp_path):
    registry.register(run_of(registry, "1"), tflite)
    registry.register(run_of(registry, "2"), tflite)
    last = registry.register(run_of(registry, "2"), rewritten(tmp_path / "b.tflite", content, "b"))
    assert [version.number for version in registry.versions()] == ["1", "2", "3"]
    assert registry.challenger() == last


def test_a_file_without_a_card_is_not_registered(registry, content, tmp_path):
    (tmp_path / "bare.tflite").write_bytes(content)
    with pytest.raises(InputError, match=r"bare.tflite: has no splitpose metadata"):
        registry.register(run_of(registry), tmp_path / "bare.tflite")
    with pytest.raises(InputError, match=r"gone.tflite: no such TFLite file"):
        registry.register(run_of(registry), tmp_path / "gone.tflite")
    assert registry.versions() == []


def test_champions_are_walked_back_one_by_one(registry, content, tmp_path):
    one, two, three = register(registry, content, tmp_path, 3)
    for version in (one, two, one, three):
        registry.promote(version)
        assert registry.champion() == version
    assert [registry.rollback() for _ in range(3)] == [one, two, one]
    with pytest.raises(InputError, match="no earlier champion to go back to"):
        registry.rollback()
    assert registry.champion() == one
    registry.promote(two)
    assert registry.rollback() == one


def test_a_deleted_champion_is_none_and_is_not_gone_back_to(registry, content, tmp_path):
    one, two, three = register(registry, content, tmp_path, 3)
    for version in (one, two, three):
        registry.promote(version)
    client = connect(registry.root)
    client.delete_model_version(registry.name, three.number)
    assert registry.champion() is None
    assert registry.previous() == two
    client.delete_model_version(registry.name, two.number)
    assert registry.rollback() == one


@pytest.mark.parametrize(
    ("history", "champion", "before"),
    [
        ("1 2 3", 2, 1),  # promote ended between tag and alias
        ("1 2", 1, None),  # rollback ended between alias and tag
        ("1 2", 3, 2),  # the alias was set elsewhere
        ("1 2", None, 2),  # and was taken away there
    ],
)
def test_the_alias_counts_where_the_history_says_otherwise(registry, content, tmp_path, history, champion, before):
    registry.name += f"-{history}-{champion}".replace(" ", "-")
    register(registry, content, tmp_path, 3)
    client = connect(registry.root)
    client.set_registered_model_tag(registry.name, HISTORY, history)
    if champion:
        client.set_registered_model_alias(registry.name, "champion", str(champion))
    if before:
        assert registry.rollback().number == str(before)
    else:
        with pytest.raises(InputError, match="no earlier champion"):
            registry.rollback()


def test_a_file_comes_back_as_it_was(registry, tflite, tmp_path):
    version = registry.register(run_of(registry), tflite)
    path = registry.fetch(version, tmp_path / "new")
    assert path.read_bytes() == tflite.read_bytes()
    assert list((tmp_path / "new").iterdir()) == [path]


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"other")])
def test_a_file_that_is_gone_or_changed_is_told_and_registering_mends_it(registry, tflite, tmp_path, damage):
    version = registry.register(run_of(registry), tflite)
    (kept,) = (registry.root / "mlartifacts" / version.run).rglob("*.tflite")
    damage(kept)
    with pytest.raises(InputError, match=r"version 1: its file (is gone from|in) run") as error:
        registry.fetch(version, tmp_path / "new")
    assert not isinstance(error.value, ExternalServiceError)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "new").exists()
    assert registry.register(version.run, tflite).number == version.number
    assert registry.fetch(version, tmp_path / "new").read_bytes() == tflite.read_bytes()


def test_a_champion_that_was_registered_elsewhere_cannot_be_fetched(registry, tmp_path):
    client, run = connect(registry.root), run_of(registry)
    client.create_registered_model(registry.name)
    client.create_model_version(registry.name, f"runs:/{run}/model", run)
    client.set_registered_model_alias(registry.name, "champion", "1")
    champion = registry.champion()
    assert champion is not None
    with pytest.raises(InputError, match="version 1: was registered without splitpose"):
        registry.fetch(champion, tmp_path)


def test_an_unknown_run_is_told_in_one_line(registry, tflite):
    run_of(registry)
    with pytest.raises(ExternalServiceError, match=r"^MLflow: .*0123.*; see that it runs") as error:
        registry.register("0123" * 8, tflite)
    assert "\n" not in str(error.value)


def test_a_server_does_the_same(content, tmp_path, monkeypatch):
    project = tmp_path / "project"
    for folder in (project, tmp_path / "server"):
        folder.mkdir()
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")  # its workers take seconds of both cores
    with mlflow_server(tmp_path / "server") as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.health.removesuffix("/health"))
        registry = Registry(project, "served")
        assert registry.champion() is None
        one, two = register(registry, content, tmp_path, 2)
        registry.register(two.run, tmp_path / "1.tflite")
        assert registry.versions() == [one, two]
        registry.promote(one)
        registry.promote(two)
        assert registry.rollback() == one == registry.champion()
        assert registry.fetch(one, tmp_path / "new").read_bytes() == (tmp_path / "0.tflite").read_bytes()
        (kept,) = (path for path in (tmp_path / "server").rglob("*.tflite") if two.run in path.parts)
        kept.unlink()
        with pytest.raises(InputError, match="version 2: its file is gone") as error:
            registry.fetch(two, tmp_path / "new")
        assert not isinstance(error.value, ExternalServiceError)
        server.kill()
        with pytest.raises(ExternalServiceError, match=r"^MLflow: "):
            registry.fetch(one, tmp_path / "new")
    assert list(project.iterdir()) == []
