import getpass
import hashlib
import json
import re
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support import yaml

from splitpose import annotations
from splitpose.errors import InputError
from splitpose.paths import ANNOTATION_TABLE, DECISIONS, initial_weights_record
from splitpose.promotion import decision_log, manual
from splitpose.promotion.automatic import decide
from splitpose.promotion.champion_status import read_status
from splitpose.promotion.checks import CheckResult
from splitpose.promotion.decision import Decision
from splitpose.promotion.gate import GateDecision, Opponent
from splitpose.tracking.model_registry import REFERENCE_NUMBER, ModelRegistry
from splitpose.tracking.runs import connect, open_run

pytestmark = pytest.mark.integration

METRICS = {
    "evaluation_set": "all 9 test instances",
    "test_instances": 9,
    "target": "local",
    "models": {
        "challenger": {"pck_0.2_mean": 91.5, "p95_ms": 1.5, "bytes": 100},
        "champion": {"pck_0.2_mean": 90.0, "p95_ms": 2.0, "bytes": 90},
    },
}
FACTS = {"viewpoint": "observer", "size": 8, "region_from": "joints", "padding": 1.5}


class FakeGate:
    """Replaces `gate.evaluate`: returns the given decision and records the opponents that it gets."""

    def __init__(self) -> None:
        self.promote = True
        self.champions: list[bytes | str | None] = []
        self.references: list[bytes | str | None] = []
        """Content of the champion's and the reference's file, or why it is not available, of each call."""

    def __call__(
        self, root: Path, profile: object, challenger: Path, champion: Opponent | None, reference: Opponent | None
    ) -> GateDecision:
        for opponent, seen in ((champion, self.champions), (reference, self.references)):
            seen.append(opponent and (opponent.path.read_bytes() if opponent.path else opponent.error))
        if any(opponent and not opponent.path for opponent in (champion, reference)):
            return GateDecision(False, [], "it cannot be compared", is_comparable=False)
        check = CheckResult(name="pck", passed=self.promote, value=1.5, limit=-0.5, text="1.5 points above")
        reason = "it is better" if self.promote else "it is worse"
        return GateDecision(self.promote, [check], reason, ["beware"], metrics=METRICS)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> FakeGate:
    gate = FakeGate()
    monkeypatch.setattr("splitpose.promotion.automatic.gate.evaluate", gate)
    return gate


class Workspace:
    """A project after a run: one variant's TFLite file and its MLflow run."""

    def __init__(self, root: Path, repository: Path, content: bytes):
        self.root, self.content = root, content
        profile = yaml.safe_load((repository / "profiles" / "sample.yaml").read_text())
        for name, text in {
            "params.yaml": "profile: sample\nvariants: {final: {}}\n",
            "profiles/sample.yaml": yaml.safe_dump(profile),
        }.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        table = pd.DataFrame({"id": [*"tuvw"], "image": "i.png", "width": 9, "height": 9})
        table = table.assign(split=["train", "train", "val", "test"], group=[*"aabc"])
        table[annotations.BOX_COLUMNS] = np.nan
        joints = np.tile(np.arange(22.0).reshape(11, 2), (4, 1, 1))
        annotations.write(annotations.with_joints(table, joints), root / ANNOTATION_TABLE)
        self.train("a")

    def train(self, weights: str) -> None:
        """Write the weights and the TFLite file of a new training."""
        from splitpose.inference.metadata import Metadata, embed_metadata

        described = Metadata(
            variant="final", precision="int8", output="coordinates", heatmap_fwhm=None, decoding=None,
            weights_sha256=hashlib.sha256(weights.encode()).hexdigest(), crops_sha256="c", **FACTS,
        )  # fmt: skip
        path = self.root / "models" / "final" / "int8.tflite"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name("final.weights.h5").write_text(weights)
        path.write_bytes(embed_metadata(self.content, described))
        self.runs = {"final": open_run(self.root, "sample", "final", weights).id}

    def decide(self, dry_run: bool = False) -> Decision:
        return decide(self.root, self.runs, dry_run)

    @property
    def registry(self) -> ModelRegistry:
        return ModelRegistry(self.root, "sample")

    def champion(self) -> str | None:
        version = self.registry.champion()
        return version.number if version else None

    def reference(self) -> str | None:
        version = self.registry.reference()
        return version.number if version else None

    def logged(self) -> list[tuple[str, str | None]]:
        """Return the action and the challenger's version of each logged decision."""
        return [
            (decision.action, (decision.challenger or {}).get("number"))
            for decision in decision_log.read(self.root / DECISIONS)
        ]


@pytest.fixture
def workspace(tmp_path, repository, content, monkeypatch) -> Workspace:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Workspace(tmp_path, repository, content)


@pytest.fixture(scope="session")
def content() -> bytes:
    """Return a TFLite file that computes nothing useful."""
    import tensorflow as tf

    signature = tf.TensorSpec((1, 8, 8, 3), tf.float32)
    function = tf.function(lambda crop: tf.reduce_sum(crop) * tf.ones((1, 11, 2)), autograph=False)
    concrete = function.get_concrete_function(signature)
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


def test_the_first_model_becomes_champion_and_the_decision_is_logged_twice(workspace, gate):
    decision = workspace.decide()
    assert (decision.action, decision.by, decision.dry_run) == ("promote", "automatic", False)
    assert (gate.champions, gate.references) == ([None], [None])
    assert (workspace.champion(), workspace.reference()) == ("1", "1")
    assert decision.reason == "it is better; the first champion is the reference from now on"
    assert decision.reference == decision.challenger
    assert (decision.warnings, decision.metrics) == (["beware"], METRICS)
    assert (decision.user, decision.host) == (getpass.getuser(), socket.gethostname())
    assert decision_log.read(workspace.root / DECISIONS) == [decision]
    tags = workspace.registry.champion().tags
    assert json.loads(tags[f"{decision_log.TAG_PREFIX}{decision.time}"])["checks"][0]["value"] == 1.5


def test_a_worse_model_remains_challenger(workspace, gate):
    workspace.decide()
    workspace.train("b")
    gate.promote = False
    decision = workspace.decide()
    assert (decision.action, decision.reason) == ("keep", "it is worse")
    assert (decision.champion["number"], decision.challenger["number"]) == ("1", "2")
    assert isinstance(gate.champions[1], bytes)
    assert (workspace.champion(), workspace.registry.challenger().number) == ("1", "2")


def test_a_dry_run_logs_its_decision_and_changes_nothing_else(workspace, gate):
    decision = workspace.decide(dry_run=True)
    assert (decision.action, decision.dry_run, decision.challenger["variant"]) == ("promote", True, "final")
    assert workspace.registry.versions() == []
    assert workspace.reference() is None
    assert [decision.dry_run for decision in decision_log.read(workspace.root / DECISIONS)] == [True]


def test_decisions_of_the_gate_are_posted(workspace, gate, receiver):
    workspace.decide(dry_run=True)
    workspace.decide()
    gate.promote = False
    workspace.decide()  # nothing was trained, so there is nothing to report
    workspace.train("b")
    workspace.decide()
    keys = ("alert", "by", "version", "champion_before", "reason")
    assert [tuple(one[key] for key in keys) for one in receiver.posted] == [
        ("promotion", "automatic", "1", None, "it is better; the first champion is the reference from now on"),
        ("rejection", "automatic", "2", "1", "it is worse"),
    ]
    assert receiver.posted[1]["text"].startswith("splitpose: sample: kept version 1: it is worse [automatic (")


def test_the_same_file_does_not_become_a_second_version(workspace, gate):
    workspace.decide()
    gate.promote = False
    workspace.decide()
    assert [version.number for version in workspace.registry.versions()] == ["1"]
    assert workspace.logged() == [("promote", "1"), ("keep", "1")]


def test_the_gate_receives_the_reason_why_the_champion_is_not_available(workspace, gate):
    workspace.decide()
    (artifact,) = (workspace.root / "mlartifacts").rglob("*.tflite")
    artifact.unlink()
    workspace.train("b")
    decision = workspace.decide()
    assert re.fullmatch(
        rf"splitpose-sample, version 1: its file is missing from run \w+ "
        rf"\(expected: {workspace.root}/mlartifacts/.*/final-int8\.tflite\)",
        gate.champions[1],
    )
    assert (decision.action, decision.reason) == ("keep", "it cannot be compared")
    assert workspace.champion() == "1"


def test_the_reference_stays_while_champions_change(workspace, gate):
    workspace.decide()
    first = (workspace.root / "models/final/int8.tflite").read_bytes()
    for weights in ("b", "c"):
        workspace.train(weights)
        decision = workspace.decide()
    assert (workspace.champion(), workspace.reference()) == ("3", "1")
    assert gate.references == [None, first, first]
    assert (decision.reference["number"], decision.reason) == ("1", "it is better")


def test_the_champion_of_an_earlier_version_becomes_the_reference(workspace, gate):
    workspace.registry.promote(
        workspace.registry.register(
            workspace.runs["final"],
            workspace.root / "models/final/int8.tflite",
            workspace.root / "models/final/final.weights.h5",
        )
    )
    workspace.train("b")
    gate.promote = False
    assert workspace.decide(dry_run=True).reference["number"] == "1"
    assert workspace.reference() is None
    decision = workspace.decide()
    assert decision.reason == "it is worse; the champion is the reference from now on"
    assert decision.reference == decision.champion
    assert gate.references == gate.champions
    assert workspace.reference() == workspace.champion() == "1"


def test_a_champion_without_its_file_does_not_become_the_reference(workspace, gate):
    workspace.decide()
    client = connect(workspace.root)
    client.delete_registered_model_alias("splitpose-sample", "reference")
    client.delete_registered_model_tag("splitpose-sample", REFERENCE_NUMBER)
    (artifact,) = (workspace.root / "mlartifacts").rglob("*.tflite")
    artifact.unlink()
    workspace.train("b")
    assert workspace.decide().reference is None
    assert workspace.reference() is None


def test_a_deleted_reference_blocks_promotions_until_it_is_replaced(workspace, gate):
    params = workspace.root / "params.yaml"
    workspace.decide()
    workspace.train("b")
    workspace.decide()
    connect(workspace.root).delete_model_version("splitpose-sample", "1")
    workspace.train("c")
    decision = workspace.decide()
    assert gate.references[2] == "splitpose-sample, version 1: was deleted from the model registry"
    assert (decision.action, decision.reference, workspace.champion()) == ("keep", None, "2")
    manual.set_reference(params, None, "the first one was deleted")
    assert workspace.decide().action == "promote"
    assert (workspace.champion(), workspace.reference()) == ("3", "2")


def test_a_deleted_champion_blocks_promotions(workspace, gate):
    workspace.decide()
    workspace.train("b")
    workspace.decide()
    connect(workspace.root).delete_model_version("splitpose-sample", "2")
    workspace.train("c")
    decision = workspace.decide()
    assert gate.champions[2] == "splitpose-sample, version 2: was deleted from the model registry"
    assert (decision.action, decision.champion, workspace.champion()) == ("keep", None, None)
    manual.rollback(workspace.root / "params.yaml", "2 was deleted")
    assert workspace.decide().action == "promote"


def test_a_model_that_was_rolled_back_requires_a_manual_promotion(workspace, gate, monkeypatch):
    params = workspace.root / "params.yaml"
    workspace.decide()
    workspace.train("b")
    workspace.decide()
    monkeypatch.setenv("LOGNAME", "anna")
    monkeypatch.setattr("socket.gethostname", lambda: "box7")
    manual.rollback(params, "wrists jump")
    decision = workspace.decide()
    assert decision.action == "keep"
    assert decision.headline == (
        "kept version 1: the challenger was rolled back manually by anna on box7 (wrists jump) and requires "
        "`splitpose promote`; it is better"
    )
    assert workspace.champion() == "1"
    manual.promote(params, "2", "the wrists were the camera's fault")
    manual.rollback(params, "now the elbows")
    manual.promote(params, "2", "no")
    assert workspace.decide().action == "promote"  # the last decision about it was a promotion


def test_lost_lines_are_restored(workspace, gate):
    first = workspace.decide()
    (workspace.root / DECISIONS).unlink()
    second = workspace.decide()
    assert decision_log.read(workspace.root / DECISIONS) == [first, second]


@pytest.mark.parametrize("step", ["_set_alias", "_save_history", "set_reference"])
def test_the_next_run_repairs_a_crash_after_the_tag(workspace, gate, monkeypatch, step):
    """The first champion's aliases and tags are set one after the other; the process ends before one of them."""
    original = getattr(ModelRegistry, step)

    def crash(self: ModelRegistry, first: object, *rest: object) -> None:
        if first == "challenger":
            return original(self, first, *rest)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(ModelRegistry, step, crash)
        with pytest.raises(KeyboardInterrupt):
            workspace.decide()
    workspace.decide()
    assert (workspace.champion(), workspace.reference()) == ("1", "1")
    assert workspace.registry.deleted_champion() is workspace.registry.deleted_reference() is None
    assert workspace.logged() == [("promote", "1"), ("promote", "1")]


def test_a_gate_whose_variant_does_not_run_is_named(workspace, gate):
    with pytest.raises(InputError, match=r"^params.yaml: variants: final is missing, which gate.variant of sample"):
        decide(workspace.root, {"baseline": "x"}, dry_run=False)


def test_times_of_decisions_differ():
    assert len({decision_log.timestamp() for _ in range(3)}) == 3


def test_the_champion_is_shown_with_its_metrics_file_and_training(workspace, gate):
    params = workspace.root / "params.yaml"
    with pytest.raises(
        InputError, match=r"^splitpose-sample: there is no champion yet; `splitpose retrain` trains"
    ):
        read_status(params)
    first = workspace.decide()
    initial = workspace.root / initial_weights_record("final")
    initial.parent.mkdir(parents=True)
    origin = {"source": "champion", "version": "1", "sha256": "x"}
    initial.write_text(json.dumps({"initial_weights": origin}))
    workspace.train("b")
    second = workspace.decide()
    gate.promote = False
    workspace.decide(dry_run=True)
    file = workspace.root / "models/final/int8.tflite"
    (workspace.root / DECISIONS).unlink()  # the registry has the decisions, too, without the dry run
    status = read_status(params)
    assert not (workspace.root / DECISIONS).exists()  # nothing was written

    champion, reference = status["champion"], status["reference"]
    assert (champion["version"], champion["variant"], champion["precision"]) == ("2", "final", "int8")
    assert (reference["version"], reference["metrics"]["pck_0.2_mean"]) == (
        "1",
        90.0,
    )  # as the champion of the second
    assert [champion["decision"]["time"], reference["decision"]["time"]] == [second.time, first.time]
    assert champion["metrics"] == {
        "time": second.time, "evaluation_set": "all 9 test instances", "test_instances": 9, "target": "local",
        "pck_0.2_mean": 91.5, "p95_ms": 1.5, "bytes": 100,
    }  # fmt: skip
    assert champion["file"]["bytes"] == file.stat().st_size
    assert champion["file"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert Path(champion["file"]["location"]).read_bytes() == file.read_bytes()
    text = "2 instances in 1 groups; selected on 1 instances in 1 groups; started from"
    assert reference["training"]["description"] == f"{text} no weights"
    assert champion["training"]["description"] == f"{text} champion, version 1"
    assert [one["action"] for one in status["decisions"]] == ["promote", "promote"]

    manual.rollback(params, "wrists jump")
    Path(reference["file"]["location"]).unlink()
    rolled_back = read_status(params)
    assert (rolled_back["champion"]["version"], rolled_back["champion"]["file"]["bytes"]) == ("1", None)
    assert "version 1: its file is missing from run" in rolled_back["champion"]["file"]["error"]
    assert rolled_back["champion"]["decision"]["reason"] == "wrists jump"
    connect(workspace.root).delete_model_version("splitpose-sample", "1")
    with pytest.raises(InputError, match="the champion, version 1, was deleted from the model registry; restore"):
        read_status(params)
