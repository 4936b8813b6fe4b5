import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import spot_model

from splitpose.cli import main
from splitpose.promotion import decision_log
from splitpose.tracking.model_registry import ModelRegistry
from splitpose.tracking.runs import connect, open_run

pytestmark = pytest.mark.integration

Project = tuple[Path, ModelRegistry]


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
    """A project with three versions and without decisions; its profile has the test's name."""
    profile = request.node.name
    (root / "params.yaml").write_text(f"profile: {profile}\nvariants:\n  spot: {{}}\n")
    (root / "reports/decisions.jsonl").unlink(missing_ok=True)
    registry = ModelRegistry(root, profile)
    for number in "123":
        files = spot_model.write_pair(root / f"{number}.tflite", number)
        registry.register(open_run(root, profile, "spot", f"{profile} {number}").id, *files)
    return root, registry


@pytest.fixture
def splitpose(root: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that runs `splitpose` with --params and returns the line that it prints."""

    def splitpose(*words: str, status: int = 0) -> str:
        capsys.readouterr()
        assert main([*words, "--params", str(root / "params.yaml")]) == status
        shown = capsys.readouterr()
        lines = (shown.err if status else shown.out).splitlines()
        assert len(lines) == 1
        return lines[0]

    return splitpose


def test_manual_promotion_and_rollback(project, splitpose):
    root, registry = project
    name = "champion of test_manual_promotion_and_rollback"
    assert splitpose("promote", "--version", "1") == f"{name}: version 1 (spot float32), the first champion"
    assert (
        splitpose("promote", "--reason", "looks\nbetter ")
        == f"{name}: version 3 (spot float32), replaces version 1"
    )
    assert splitpose("promote") == f"{name}: version 3 (spot float32), unchanged"
    assert splitpose("rollback") == f"{name}: version 1 (spot float32), replaces version 3"
    assert registry.champion() == registry.versions()[0]
    assert splitpose("rollback", status=1).endswith(
        "there is no earlier champion; `splitpose promote` accepts any version"
    )

    logged = decision_log.read(root / "reports/decisions.jsonl")
    assert [(one.action, one.by, one.reason) for one in logged] == [
        ("promote", "manual", "no reason given"),
        ("promote", "manual", "looks better"),
        ("rollback", "manual", "no reason given"),
    ]
    assert [(one.challenger["number"], (one.champion or {}).get("number")) for one in logged if one.challenger] == [
        ("1", None), ("3", "1"), ("1", "3"),
    ]  # fmt: skip
    assert logged[0].challenger == {
        key: getattr(registry.versions()[0], key) for key in ("number", "run", "sha256", "variant", "precision")
    }


def test_promotions_and_rollbacks_are_posted(project, splitpose, receiver):
    splitpose("promote", "--version", "1")
    splitpose("promote", "--version", "3", "--reason", "looks better")
    splitpose("promote")  # unchanged, so there is nothing to report
    splitpose("rollback", "--reason", "too slow")
    splitpose("rollback", status=1)
    keys = ("alert", "profile", "by", "version", "champion_before", "reason")
    profile = "test_promotions_and_rollbacks_are_posted"
    assert [tuple(one[key] for key in keys) for one in receiver.posted] == [
        ("promotion", profile, "manual", "1", None, "no reason given"),
        ("promotion", profile, "manual", "3", "1", "looks better"),
        ("rollback", profile, "manual", "1", "3", "too slow"),
    ]
    assert receiver.posted[2]["text"].startswith(
        f"splitpose: {profile}: rolled back to version 1 from version 3: too slow [manual ("
    )


def test_decisions_are_in_the_registry_too_and_restore_lost_lines(project, splitpose):
    root, registry = project
    splitpose("promote", "--version", "2", "--reason", "because")
    tags = {key: value for key, value in registry.versions()[1].tags.items() if "decision" in key}
    ((key, text),) = tags.items()
    lines = (root / "reports/decisions.jsonl").read_text()
    assert json.loads(text) == json.loads(lines)
    assert key == f"splitpose.decision.{json.loads(lines)['time']}"
    (root / "reports/decisions.jsonl").unlink()
    splitpose("promote", "--version", "2")
    assert (root / "reports/decisions.jsonl").read_text() == lines


def test_tags_of_an_earlier_version_restore_lines(project, splitpose):
    root, registry = project
    legacy = {
        "time": "20200101T000000.000000Z", "profile": "p", "action": "keep", "by": "retrain", "dry_run": False,
        "challenger": {"number": "1"}, "champion": None, "reason": "worse",
        "checks": [{"name": "pck", "passed": False, "figure": -1.0, "limit": -0.5, "text": "worse"}],
    }  # fmt: skip
    registry.set_tags(registry.versions()[0], {f"splitpose.decision.{legacy['time']}": json.dumps(legacy)})
    splitpose("promote", "--version", "1")
    restored, promoted = decision_log.read(root / "reports/decisions.jsonl")
    assert (restored.by, restored.checks[0]["value"], restored.reason) == ("automatic", -1.0, "worse")
    assert (restored.reference, restored.warnings) == (None, [])
    assert (promoted.by, promoted.action) == ("manual", "promote")


def test_a_version_without_its_file_does_not_become_champion(project, splitpose):
    root, registry = project
    splitpose("promote", "--version", "2")
    splitpose("promote", "--version", "3")
    gone = registry.versions()[1]
    next((root / "mlartifacts" / gone.run).rglob("*.tflite")).unlink()
    for words in (("rollback",), ("promote", "--version", "2")):
        assert "version 2: its file is missing from run" in splitpose(*words, status=1)
    champion = registry.champion()
    assert champion is not None
    assert champion.number == "3"
    assert len(decision_log.read(root / "reports/decisions.jsonl")) == 2


def test_missing_versions_are_reported(project, splitpose):
    name = "error: splitpose-test_missing_versions_are_reported"
    assert (
        splitpose("promote", "--version", "7", status=1)
        == f"{name}: there is no version 7; choose a --version from 1, 2, 3"
    )
    assert "no earlier champion" in splitpose("rollback", status=1)


def test_a_project_without_versions_remains_unchanged(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "params.yaml").write_text("profile: none\nvariants:\n  spot: {}\n")
    assert main(["promote", "--params", str(tmp_path / "params.yaml")]) == 1
    assert capsys.readouterr().err.startswith("error: splitpose-none: has no version yet; `splitpose retrain`")
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_the_first_champion_is_the_reference_and_promote_reference_moves_it(project, splitpose):
    root, registry = project
    name = "reference of test_the_first_champion_is_the_reference_and_promote_reference_moves_it"
    splitpose("promote", "--version", "1")
    splitpose("promote", "--version", "2")
    assert registry.reference() == registry.versions()[0]
    moved = splitpose("promote", "--reference", "--reason", "a year of progress")
    assert moved == f"{name}: version 2 (spot float32), replaces version 1"
    assert splitpose("promote", "--reference", "--version", "2") == f"{name}: version 2 (spot float32), unchanged"
    splitpose("promote", "--reference", "--version", "3")
    assert [registry.champion(), registry.reference()] == registry.versions()[1:]
    *_, last_but_one, last = decision_log.read(root / "reports/decisions.jsonl")
    assert (last_but_one.action, last_but_one.by, last_but_one.reason) == (
        "reference", "manual", "a year of progress",
    )  # fmt: skip
    assert last.reference == last.challenger
    assert (last.challenger["number"], last.champion["number"]) == ("3", "2")


def test_a_reference_is_not_moved_to_a_version_without_its_file(project, splitpose):
    root, registry = project
    assert "there is no champion; choose a --version" in splitpose("promote", "--reference", status=1)
    splitpose("promote", "--version", "1")
    next((root / "mlartifacts" / registry.versions()[1].run).rglob("*.tflite")).unlink()
    assert "version 2: its file is missing" in splitpose("promote", "--reference", "--version", "2", status=1)
    assert registry.reference() == registry.versions()[0]
    assert len(decision_log.read(root / "reports/decisions.jsonl")) == 1


def test_a_deleted_reference_is_replaced(project, splitpose):
    _, registry = project
    splitpose("promote", "--version", "1")
    splitpose("promote", "--version", "2")
    connect(registry.root).delete_model_version(registry.name, "1")
    splitpose("promote", "--version", "3")  # a promotion does not set it again
    assert (registry.reference(), registry.deleted_reference()) == (None, "1")
    assert splitpose("promote", "--reference").endswith("version 3 (spot float32), the first reference")
    assert registry.deleted_reference() is None


def test_champion_shows_both_models_and_the_history(project, splitpose, capsys, monkeypatch):
    root, registry = project
    monkeypatch.setenv("LOGNAME", "anna")
    monkeypatch.setattr("socket.gethostname", lambda: "box7")
    splitpose("promote", "--version", "1", "--reason", "the first")
    splitpose("promote", "--version", "2", "--reason", "looks better")
    profile = "test_champion_shows_both_models_and_the_history"
    legacy = {
        "time": "20200101T000000.000000Z", "profile": profile, "action": "keep", "by": "hand", "dry_run": False,
        "challenger": {"number": "3"}, "champion": None, "reason": "of an earlier release", "checks": [],
    }  # fmt: skip
    others = json.dumps(legacy | {"time": "20300101T000000.000000Z", "profile": "another", "action": "promote"})
    with (root / "reports/decisions.jsonl").open("a") as file:
        file.write(f"{others}\n")
    registry.set_tags(registry.versions()[2], {f"splitpose.decision.{legacy['time']}": json.dumps(legacy)})
    log = (root / "reports/decisions.jsonl").read_bytes()

    assert main(["champion", "--params", str(root / "params.yaml"), "--json", str(root / "status.json")]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    size = (root / "2.tflite").stat().st_size
    champion = lines[lines.index("Champion of test_champion_shows_both_models_and_the_history") :]
    assert champion[1].startswith("version 2 (spot float32), MLflow run ")
    assert re.fullmatch(r"since \d{4}-\d\d-\d\d \d\d:\d\d, manual \(anna on box7\): looks better", champion[2])
    assert champion[3].startswith("metrics not recorded in the decision log; the next `splitpose retrain`")
    assert champion[4].startswith(f"file {root}/mlartifacts/") and champion[4].endswith(f" ({size:,} bytes)")
    assert champion[5] == f"SHA-256 {registry.versions()[1].sha256}"
    assert champion[6] == "trained on not recorded"
    assert any(line.startswith("version 1 (spot float32)") for line in lines)  # the reference
    assert [line.split(maxsplit=2)[2] for line in lines[-3:]] == [
        "promote 2 1 manual (anna on box7) looks better",
        "promote 1 - manual (anna on box7) the first",
        "keep 3 - manual of an earlier release",
    ]
    assert (root / "reports/decisions.jsonl").read_bytes() == log  # nothing was written
    status = json.loads((root / "status.json").read_text())
    assert (status["champion"]["version"], status["reference"]["version"]) == ("2", "1")
    assert (status["champion"]["decision"]["user"], status["champion"]["decision"]["host"]) == ("anna", "box7")
    assert [one["reason"] for one in status["decisions"]] == ["of an earlier release", "the first", "looks better"]


def test_without_a_champion_one_line_says_so(project, splitpose):
    assert splitpose("champion", status=1) == (
        "error: splitpose-test_without_a_champion_one_line_says_so: there is no champion yet; choose a version "
        "with `splitpose promote --version` from 1, 2, 3"
    )


def test_an_alias_that_was_set_elsewhere_has_no_decision(project, splitpose, capsys):
    root, registry = project
    splitpose("promote", "--version", "1")
    connect(root).set_registered_model_alias(registry.name, "champion", "3")
    assert main(["champion", "--params", str(root / "params.yaml")]) == 0
    assert "not recorded in the decision log" in capsys.readouterr().out.splitlines()[2]
