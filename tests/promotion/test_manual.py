import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import spot_model

from splitpose.cli import main
from splitpose.promotion import decision_log
from splitpose.tracking.model_registry import Registry
from splitpose.tracking.runs import open_run

Project = tuple[Path, Registry]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for name, value in (
            ("TIMEOUT", "10"),
            ("MAX_RETRIES", "1"),
        ):  # as the command sets them, for this test alone
            patch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", value)
        yield tmp_path_factory.mktemp("project")


@pytest.fixture
def project(root: Path, request: pytest.FixtureRequest) -> Project:
    """A project with three versions, as yet without decisions; its profile has the test's name."""
    profile = request.node.name
    (root / "params.yaml").write_text(f"profile: {profile}\nvariants:\n  spot: {{}}\n")
    (root / "reports/decisions.jsonl").unlink(missing_ok=True)
    registry = Registry(root, profile)
    for number in "123":
        tflite = spot_model.write(root / f"{number}.tflite", weights_sha256=number)
        registry.register(open_run(root, profile, "spot", f"{profile} {number}").id, tflite)
    return root, registry


@pytest.fixture
def say(root: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs `splitpose` with --params; gives the one line that it says."""

    def say(*words: str, status: int = 0) -> str:
        capsys.readouterr()
        assert main([*words, "--params", str(root / "params.yaml")]) == status
        shown = capsys.readouterr()
        lines = (shown.err if status else shown.out).splitlines()
        assert len(lines) == 1
        return lines[0]

    return say


def test_by_hand_promotes_and_rolls_back(project, say):
    root, registry = project
    name = "champion of test_by_hand_promotes_and_rolls_back"
    assert say("promote", "--version", "1") == f"{name}: version 1 (spot float32), the first one"
    assert (
        say("promote", "--reason", "looks\nbetter ")
        == f"{name}: version 3 (spot float32), in the place of version 1"
    )
    assert say("promote") == f"{name}: version 3 (spot float32), as before"
    assert say("rollback") == f"{name}: version 1 (spot float32), in the place of version 3"
    assert registry.champion() == registry.versions()[0]
    assert say("rollback", status=1).endswith(
        "no earlier champion to go back to; `splitpose promote` takes any version"
    )

    kept = decision_log.read(root / "reports/decisions.jsonl")
    assert [(one.action, one.by, one.reason) for one in kept] == [
        ("promote", "hand", "no reason given"),
        ("promote", "hand", "looks better"),
        ("rollback", "hand", "no reason given"),
    ]
    assert [(one.challenger["number"], (one.champion or {}).get("number")) for one in kept if one.challenger] == [
        ("1", None), ("3", "1"), ("1", "3"),
    ]  # fmt: skip
    assert kept[0].challenger == {
        key: getattr(registry.versions()[0], key) for key in ("number", "run", "sha256", "variant", "precision")
    }


def test_decisions_are_in_the_registry_too_and_lost_lines_come_back(project, say):
    root, registry = project
    say("promote", "--version", "2", "--reason", "because")
    tags = {key: value for key, value in registry.versions()[1].tags.items() if "decision" in key}
    ((key, text),) = tags.items()
    lines = (root / "reports/decisions.jsonl").read_text()
    assert json.loads(text) == json.loads(lines)
    assert key == f"splitpose.decision.{json.loads(lines)['time']}"
    (root / "reports/decisions.jsonl").unlink()
    say("promote", "--version", "2")
    assert (root / "reports/decisions.jsonl").read_text() == lines


def test_a_version_without_its_file_does_not_become_champion(project, say):
    root, registry = project
    say("promote", "--version", "2")
    say("promote", "--version", "3")
    gone = registry.versions()[1]
    next((root / "mlartifacts" / gone.run).rglob("*.tflite")).unlink()
    for words in (("rollback",), ("promote", "--version", "2")):
        assert "version 2: its file is gone from run" in say(*words, status=1)
    champion = registry.champion()
    assert champion is not None
    assert champion.number == "3"
    assert len(decision_log.read(root / "reports/decisions.jsonl")) == 2


def test_versions_that_do_not_exist_are_told(project, say):
    name = "error: splitpose-test_versions_that_do_not_exist_are_told"
    assert (
        say("promote", "--version", "7", status=1)
        == f"{name}: there is no version 7; give --version, one of 1, 2, 3"
    )
    assert "no earlier champion" in say("rollback", status=1)


def test_a_project_without_versions_stays_as_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "params.yaml").write_text("profile: none\nvariants:\n  spot: {}\n")
    assert main(["promote", "--params", str(tmp_path / "params.yaml")]) == 1
    assert capsys.readouterr().err.startswith(
        "error: splitpose-none: has no version yet; `splitpose retrain` registers"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]
