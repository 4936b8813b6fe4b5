import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import spot_model
from support.servers import mlflow_server

from splitpose.data.training_groups import TrainingGroups
from splitpose.errors import ExternalServiceError, InputError
from splitpose.inference.metadata import Metadata, embed_metadata
from splitpose.tracking.model_registry import (
    HISTORY,
    RECORD,
    TRAINING_GROUPS,
    WEIGHTS,
    ModelRegistry,
    RegisteredVersion,
)
from splitpose.tracking.runs import connect, open_run

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with an MLflow database; each test uses a different profile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield tmp_path_factory.mktemp("project")


@pytest.fixture
def registry(root: Path, request: pytest.FixtureRequest) -> ModelRegistry:
    return ModelRegistry(root, request.node.name.split("[")[0])


@pytest.fixture(scope="module")
def content() -> bytes:
    return spot_model.content()


Files = tuple[Path, Path]
"""A TFLite file and the weights that it was converted from."""


@pytest.fixture
def files(content: bytes, tmp_path: Path) -> Files:
    return write_variation(tmp_path / "float32.tflite", content, "a")


def write_variation(path: Path, content: bytes, weights: str, **values: object) -> Files:
    """Write the file with other metadata, the same model with other bytes, and its weights."""
    weights_path = path.with_suffix(".weights.h5")
    weights_path.write_text(weights)
    facts = spot_model.FACTS | {"weights_sha256": hashlib.sha256(weights.encode()).hexdigest()} | values
    path.write_bytes(embed_metadata(content, Metadata.model_validate(facts)))
    return path, weights_path


def run_of(registry: ModelRegistry, state: str = "1") -> str:
    return open_run(registry.root, registry.name, "spot", f"{registry.name} {state}").id


def register(registry: ModelRegistry, content: bytes, folder: Path, count: int) -> list[RegisteredVersion]:
    """Register `count` versions, each for its own run."""
    return [
        registry.register(run_of(registry, str(n)), *write_variation(folder / f"{n}.tflite", content, str(n)))
        for n in range(count)
    ]


def stored_content(root: Path) -> tuple[list[str], set[Path]]:
    """Return everything in MLflow's database and artifact folder."""
    with sqlite3.connect(root / "mlflow.db") as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        rows = [f"{table}: {row}" for table in tables for row in database.execute(f"select * from {table}")]
    return sorted(rows), set((root / "mlartifacts").rglob("*"))


def test_reading_creates_no_store(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    registry = ModelRegistry(tmp_path, "any")
    assert (registry.champion(), registry.challenger(), registry.versions()) == (None, None, [])
    with pytest.raises(InputError, match="splitpose-any: there is no earlier champion"):
        registry.rollback()
    assert list(tmp_path.iterdir()) == []


def test_a_registered_file_is_the_challenger_with_its_metadata(registry, files):
    run = run_of(registry)
    version = registry.register(run, *files)
    assert (version.number, version.run, version.variant, version.precision) == ("1", run, "spot", "float32")
    assert version.sha256 == hashlib.sha256(files[0].read_bytes()).hexdigest()
    assert registry.challenger() == version
    assert registry.versions() == [version]
    assert registry.champion() is None


def test_registering_and_promoting_again_changes_nothing(registry, files):
    run = run_of(registry)
    first = registry.register(run, *files)
    registry.promote(first)
    registry.set_tags(first, {"a": "b"})
    before = stored_content(registry.root)
    again = registry.register(run, *files)
    assert (again.number, again.tags["a"]) == ("1", "b")
    registry.promote(again)
    registry.set_tags(again, {"a": "b"})
    assert stored_content(registry.root) == before


def test_another_run_or_another_file_is_another_version(registry, content, files, tmp_path):
    registry.register(run_of(registry, "1"), *files)
    registry.register(run_of(registry, "2"), *files)
    last = registry.register(run_of(registry, "2"), *write_variation(tmp_path / "b.tflite", content, "b"))
    assert [version.number for version in registry.versions()] == ["1", "2", "3"]
    assert registry.challenger() == last


def test_a_file_without_metadata_is_not_registered(registry, content, tmp_path):
    (tmp_path / "bare.tflite").write_bytes(content)
    with pytest.raises(InputError, match=r"bare.tflite: has no splitpose metadata"):
        registry.register(run_of(registry), tmp_path / "bare.tflite", tmp_path / "x")
    with pytest.raises(InputError, match=r"gone.tflite: no such TFLite file"):
        registry.register(run_of(registry), tmp_path / "gone.tflite", tmp_path / "x")
    assert registry.versions() == []


def test_repeated_rollbacks_restore_earlier_champions(registry, content, tmp_path):
    one, two, three = register(registry, content, tmp_path, 3)
    for version in (one, two, one, three):
        registry.promote(version)
        assert registry.champion() == version
    assert [registry.rollback() for _ in range(3)] == [one, two, one]
    with pytest.raises(InputError, match="there is no earlier champion"):
        registry.rollback()
    assert registry.champion() == one
    registry.promote(two)
    assert registry.rollback() == one


def test_champions_and_their_runs_are_marked(registry, content, tmp_path):
    first, second, third = register(registry, content, tmp_path, 3)
    for version in (first, second):
        registry.promote(version)
    marks = {version.number: version.tags.get("splitpose.promotion") for version in registry.versions()}
    assert marks == {first.number: "former champion", second.number: "champion", third.number: None}
    assert connect(registry.root).get_run(second.run).data.tags["splitpose.promotion"] == "champion"
    registry.rollback()
    marks = {version.number: version.tags.get("splitpose.promotion") for version in registry.versions()}
    assert marks == {first.number: "champion", second.number: "former champion", third.number: None}
    (described, *_) = connect(registry.root).search_model_versions(f"name='{registry.name}'")
    assert described.description.startswith("TFLite file of the variant")


def test_deleted_versions_are_not_champions(registry, content, tmp_path):
    one, two, three = register(registry, content, tmp_path, 3)
    for version in (one, two, three):
        registry.promote(version)
    client = connect(registry.root)
    client.delete_model_version(registry.name, three.number)
    assert registry.champion() is None
    assert registry.previous_champion() == two
    client.delete_model_version(registry.name, two.number)
    assert registry.rollback() == one


@pytest.mark.parametrize(
    ("history", "champion", "before"),
    [
        ("1 2 3", 2, 1),  # promote was interrupted between tag and alias
        ("1 2", 1, None),  # rollback was interrupted between alias and tag
        ("1 2", 3, 2),  # the alias was set elsewhere
        ("1 2", None, 2),  # the alias was removed elsewhere
    ],
)
def test_the_alias_takes_precedence_over_the_history(registry, content, tmp_path, history, champion, before):
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


def test_a_file_is_downloaded_unchanged(registry, files, tmp_path):
    version = registry.register(run_of(registry), *files)
    path = registry.download(version, tmp_path / "new")
    assert path.read_bytes() == files[0].read_bytes()
    assert list((tmp_path / "new").iterdir()) == [path]


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"other")])
def test_a_missing_or_changed_file_is_reported_and_registering_repairs_it(registry, files, tmp_path, damage):
    version = registry.register(run_of(registry), *files)
    (artifact,) = (registry.root / "mlartifacts" / version.run).rglob("*.tflite")
    damage(artifact)
    with pytest.raises(InputError, match=r"version 1: its file (is missing from|in) run") as error:
        registry.download(version, tmp_path / "new")
    assert not isinstance(error.value, ExternalServiceError)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "new").exists()
    assert registry.register(version.run, *files).number == version.number
    assert registry.download(version, tmp_path / "new").read_bytes() == files[0].read_bytes()


def test_the_weights_are_stored_and_downloaded_unchanged(registry, files, tmp_path):
    version = registry.register(run_of(registry), *files)
    path = registry.download_weights(version, tmp_path / "new")
    assert (path.name, path.read_bytes()) == ("spot.weights.h5", files[1].read_bytes())
    (stored,) = (registry.root / "mlartifacts" / version.run).rglob("*.weights.h5")
    (tflite,) = (registry.root / "mlartifacts" / version.run).rglob("*.tflite")
    assert stored.parent == tflite.parent


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.unlink(), r"its file is missing from run \w+ \(expected: /.*/spot\.weights\.h5\)"),
        (lambda file: file.write_bytes(b"other"), r"its file in run \w+ is damaged or was replaced \(/.*\)"),
    ],
)
def test_missing_and_changed_weights_are_reported_and_registering_repairs_them(
    registry, files, tmp_path, damage, message
):
    version = registry.register(run_of(registry), *files)
    (artifact,) = (registry.root / "mlartifacts" / version.run).rglob("*.weights.h5")
    damage(artifact)
    with pytest.raises(InputError, match=rf"^splitpose-\w+, version 1: {message}$"):
        registry.download_weights(version, tmp_path / "new")
    registry.register(version.run, *files)
    assert registry.download_weights(version, tmp_path / "new").read_bytes() == files[1].read_bytes()


def test_a_version_of_an_earlier_release_has_no_weights_until_it_is_registered_again(registry, files, tmp_path):
    run = run_of(registry)
    version = registry.register(run, *files)
    for tag in (WEIGHTS, TRAINING_GROUPS):
        connect(registry.root).delete_model_version_tag(registry.name, version.number, tag)
    (artifact,) = (registry.root / "mlartifacts" / version.run).rglob("*.weights.h5")
    artifact.unlink()
    (earlier,) = registry.versions()
    with pytest.raises(InputError, match="version 1: has no Keras weights, because an earlier release") as error:
        registry.download_weights(earlier, tmp_path)
    assert "\n" not in str(error.value)
    again = registry.register(run, *files)
    assert [again] == registry.versions()
    assert registry.download_weights(again, tmp_path / "new").read_bytes() == files[1].read_bytes()


def test_other_weights_are_not_registered(registry, files, tmp_path):
    (tmp_path / "other.weights.h5").write_text("other")
    with pytest.raises(InputError, match=r"other\.weights\.h5: .*float32\.tflite was converted from other weights"):
        registry.register(run_of(registry), files[0], tmp_path / "other.weights.h5")
    with pytest.raises(InputError, match=r"gone\.weights\.h5: no such weights file"):
        registry.register(run_of(registry), files[0], tmp_path / "gone.weights.h5")
    assert registry.versions() == []


def test_a_version_records_the_groups_that_it_was_trained_on(registry, content, tmp_path):
    short = TrainingGroups(listed=frozenset({1, 2}))
    long = TrainingGroups(listed=frozenset(number**5 % 2**32 for number in range(1600)))
    tags = []
    for name, groups in {"a": None, "b": short.to_json(), "c": long.to_json()}.items():
        files = write_variation(tmp_path / f"{name}.tflite", content, name, training_groups=groups)
        tags.append(registry.register(run_of(registry), *files).tags)
    assert [one[TRAINING_GROUPS] for one in tags] == [
        "unknown", "2 groups or images are listed", "1,578 groups or images are listed",
    ]  # fmt: skip
    assert json.loads(tags[1][RECORD]) == short.to_json()
    assert [RECORD in one for one in tags] == [False, True, False]
    assert all(len(value) <= 5000 for one in tags for value in one.values())


def test_a_damaged_record_is_reported(registry, content, tmp_path):
    files = write_variation(tmp_path / "x.tflite", content, "a", training_groups={"rules": 3})
    with pytest.raises(
        InputError, match=r"x\.tflite: the record of the training groups is damaged .*convert"
    ) as error:
        registry.register(run_of(registry), *files)
    assert "\n" not in str(error.value)
    assert registry.versions() == []


def test_a_champion_that_was_registered_elsewhere_cannot_be_downloaded(registry, tmp_path):
    client, run = connect(registry.root), run_of(registry)
    client.create_registered_model(registry.name)
    client.create_model_version(registry.name, f"runs:/{run}/model", run)
    client.set_registered_model_alias(registry.name, "champion", "1")
    champion = registry.champion()
    assert champion is not None
    with pytest.raises(InputError, match="version 1: was not registered by splitpose"):
        registry.download(champion, tmp_path)


def test_an_unknown_run_is_reported_in_one_line(registry, files):
    run_of(registry)
    with pytest.raises(ExternalServiceError, match=r"^MLflow: .*0123.*; check that the server is running") as error:
        registry.register("0123" * 8, *files)
    assert "\n" not in str(error.value)


def test_a_server_behaves_like_a_local_store(content, tmp_path, monkeypatch):
    project = tmp_path / "project"
    for folder in (project, tmp_path / "server"):
        folder.mkdir()
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")  # its workers use both cores for seconds
    with mlflow_server(tmp_path / "server") as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.health.removesuffix("/health"))
        registry = ModelRegistry(project, "served")
        assert registry.champion() is None
        one, two = register(registry, content, tmp_path, 2)
        registry.register(two.run, tmp_path / "1.tflite", tmp_path / "1.weights.h5")
        assert registry.versions() == [one, two]
        registry.promote(one)
        registry.promote(two)
        assert registry.rollback() == one == registry.champion()
        assert registry.download(one, tmp_path / "new").read_bytes() == (tmp_path / "0.tflite").read_bytes()
        (artifact,) = (path for path in (tmp_path / "server").rglob("*.tflite") if two.run in path.parts)
        artifact.unlink()
        with pytest.raises(InputError, match="version 2: its file is missing") as error:
            registry.download(two, tmp_path / "new")
        assert not isinstance(error.value, ExternalServiceError)
        server.kill()
        with pytest.raises(ExternalServiceError, match=r"^MLflow: "):
            registry.download(one, tmp_path / "new")
    assert list(project.iterdir()) == []
