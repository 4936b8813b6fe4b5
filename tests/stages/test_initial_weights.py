"""The stage initial_weights: where a variant's weights come from, and how often training starts from scratch."""

import hashlib
import json
import logging

import pytest
from support import yaml
from support.tiny_project import tiny_profile

from splitpose.errors import ExternalServiceError, InputError
from splitpose.settings import RunConfig
from splitpose.stages.initial_files import InitialFiles, InitialRecord, Origin
from splitpose.stages.initial_weights import VARIABLE, describe, initial_weights, requested_source
from splitpose.tracking.model_registry import ModelRegistry
from splitpose.tracking.registered_version import RegisteredVersion

WEIGHTS = b"weights of the champion"
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
CHAMPION = RegisteredVersion("7", "run", "", "final", "int8", {})


@pytest.fixture
def registry(monkeypatch):
    """The registry's champion, which a test may replace: a version, and its weights or the error without them."""
    content = {"champion": CHAMPION, "weights": WEIGHTS}

    def download_weights(self, version, folder):
        assert version is content["champion"]
        if isinstance(content["weights"], Exception):
            raise content["weights"]
        folder.mkdir(parents=True)
        (folder / "final.weights.h5").write_bytes(content["weights"])
        return folder / "final.weights.h5"

    monkeypatch.setattr(ModelRegistry, "champion", lambda self: content["champion"])
    monkeypatch.setattr(ModelRegistry, "download_weights", download_weights, raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    return content


@pytest.fixture
def run(tmp_path, repository, registry):
    """Return a function that runs the stage with changes of the profile's section model, and returns the record."""

    def run_stage(full_every=3, **model):
        profile = tiny_profile(repository)
        profile["model"] |= model
        profile["retraining"] = {"full_every": full_every}
        (tmp_path / "sample.yaml").write_text(yaml.safe_dump(profile))
        (tmp_path / "params.yaml").write_text("profile: sample\nvariants: {final: {}}\n")
        config = RunConfig.resolve(tmp_path / "sample.yaml", tmp_path / "params.yaml", "final")
        initial_weights(config, tmp_path / "initial")
        return json.loads((tmp_path / "initial" / "initial.json").read_text())

    return run_stage


NOTHING = {"source": None, "version": None, "sha256": None}


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "initial").iterdir())


def test_training_from_scratch_has_only_a_record(run, tmp_path):
    assert run() == {"initial_weights": NOTHING, "backbone_weights": NOTHING, "runs_since_full": 0}
    assert files(tmp_path) == ["initial.json"]


def test_champion_is_copied_and_its_version_recorded(run, tmp_path):
    record = run(initial_weights="champion")
    assert record["initial_weights"] == {"source": "champion", "version": "7", "sha256": SHA256}
    assert record["runs_since_full"] == 1
    assert files(tmp_path) == ["initial.json", "model.weights.h5"]
    assert (tmp_path / "initial" / "model.weights.h5").read_bytes() == WEIGHTS


def test_every_third_run_starts_from_scratch(run, caplog):
    sources, counts = [], []
    with caplog.at_level(logging.INFO, "splitpose"):
        for _ in range(5):
            record = run(full_every=3, initial_weights="champion")
            sources.append(record["initial_weights"]["source"])
            counts.append(record["runs_since_full"])
    assert sources == ["champion", "champion", None, "champion", "champion"]
    assert counts == [1, 2, 0, 1, 2]
    assert "final: every 3 runs, one does not start from the champion" in caplog.messages


def test_full_every_of_one_always_starts_from_scratch(run):
    assert [run(full_every=1, initial_weights="champion")["runs_since_full"] for _ in range(2)] == [0, 0]


def test_the_environment_replaces_the_setting_and_is_recorded(run, monkeypatch):
    monkeypatch.setenv(VARIABLE, "champion")
    assert run()["initial_weights"]["version"] == "7"
    monkeypatch.setenv(VARIABLE, "none")
    record = run(initial_weights="champion")
    assert (record["initial_weights"], record["runs_since_full"]) == (NOTHING, 0)


def test_a_path_is_copied_and_never_counted(run, tmp_path):
    (tmp_path / "own.weights.h5").write_bytes(b"own")
    for _ in range(4):
        record = run(full_every=2, initial_weights=str(tmp_path / "own.weights.h5"))
    digest = hashlib.sha256(b"own").hexdigest()
    assert record["initial_weights"] == {
        "source": str(tmp_path / "own.weights.h5"), "version": None, "sha256": digest,
    }  # fmt: skip
    assert record["runs_since_full"] == 0


def test_runs_that_do_not_start_from_the_champion_use_the_setting(run, registry, tmp_path, monkeypatch):
    """These are every n-th run, and all runs before there is a champion."""
    path = tmp_path / "own.weights.h5"
    path.write_bytes(b"own")
    monkeypatch.setenv(VARIABLE, "champion")
    sources = [run(full_every=2, initial_weights=str(path))["initial_weights"]["source"] for _ in range(3)]
    assert sources == ["champion", str(path), "champion"]
    registry["champion"] = None
    record = run(full_every=2, initial_weights=str(path))
    assert (record["initial_weights"]["source"], record["runs_since_full"]) == (str(path), 0)


def test_backbone_weights_are_used_only_without_other_initial_weights(run, tmp_path):
    (tmp_path / "backbone.h5").write_bytes(b"backbone")
    record = run(backbone_weights=str(tmp_path / "backbone.h5"))
    assert record["backbone_weights"]["sha256"] == hashlib.sha256(b"backbone").hexdigest()
    assert files(tmp_path) == ["backbone.weights.h5", "initial.json"]
    assert run(backbone_weights="missing.h5", initial_weights="champion")["backbone_weights"] == NOTHING
    assert files(tmp_path) == ["initial.json", "model.weights.h5"]


def test_without_a_champion_training_starts_from_scratch(run, registry, caplog):
    registry["champion"] = None
    with caplog.at_level(logging.INFO, "splitpose"):
        assert run(initial_weights="champion")["initial_weights"] == NOTHING
    assert caplog.messages == [
        "there is no champion yet",
        "final: starts from scratch, with a backbone of random weights",
    ]


def test_a_champion_without_weights_is_a_warning(run, registry, caplog):
    registry["weights"] = InputError("splitpose-sample, version 7: its weights are missing")
    assert run(initial_weights="champion") == {
        "initial_weights": NOTHING, "backbone_weights": NOTHING, "runs_since_full": 0,
    }  # fmt: skip
    assert caplog.messages[0] == (
        "warning: the champion's weights cannot be used: splitpose-sample, version 7: its weights are missing"
    )


def test_a_registry_that_does_not_respond_changes_nothing(run, registry, tmp_path):
    before = run(initial_weights="champion")
    registry["weights"] = ExternalServiceError("MLflow: connection refused")
    with pytest.raises(ExternalServiceError, match="connection refused"):
        run(initial_weights="champion")
    assert json.loads((tmp_path / "initial" / "initial.json").read_text()) == before


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("initial_weights", "use null, champion or the path of a weights file"),
        ("backbone_weights", "use random, imagenet or the path of a weights file"),
    ],
)
def test_a_missing_file_is_reported_and_changes_nothing(run, tmp_path, key, remedy):
    before = run()
    path = tmp_path / "missing.h5"
    with pytest.raises(InputError) as raised:
        run(**{key: str(path)})
    assert str(raised.value) == f"model.{key}: {path}: no such file; {remedy}"
    assert json.loads((tmp_path / "initial" / "initial.json").read_text()) == before


@pytest.mark.parametrize(
    ("variable", "setting", "expected"),
    [
        (None, None, None),
        (None, "champion", "champion"),
        (None, "a.h5", "a.h5"),
        ("none", "champion", None),
        ("champion", None, "champion"),
        ("b.h5", "a.h5", "b.h5"),
    ],
)
def test_requested_source(variable, setting, expected):
    assert requested_source(variable, setting) == expected


def test_descriptions():
    assert describe(Origin("champion", "3", "ab"), Origin()) == "starts from the champion, version 3"
    assert describe(Origin("a.h5", None, "ab"), Origin()) == "starts from a.h5"
    text = "starts from scratch, with a backbone of imagenet weights"
    assert describe(Origin(), Origin("imagenet", None, "ab")) == text


def test_the_record_is_read_as_it_was_written(tmp_path):
    record = InitialRecord(Origin("champion", "3", "ab"), Origin(), 4)
    InitialFiles(tmp_path).write_record(record)
    assert InitialFiles(tmp_path).read_record() == record
