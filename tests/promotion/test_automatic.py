import json
from pathlib import Path

import pytest
import yaml

from splitpose.errors import InputError
from splitpose.promotion import GateDecision, decide
from splitpose.promotion import decision_log as decisions
from splitpose.promotion import decision_store as kept
from splitpose.promotion import manual as by_hand
from splitpose.promotion.checks import Check
from splitpose.promotion.decision_store import DECISIONS
from splitpose.tracking.model_registry import Registry
from splitpose.tracking.runs import open_run

FACTS = {"viewpoint": "observer", "size": 8, "region_from": "joints", "padding": 1.5}


class Gate:
    """Stands where `gate.judge` is: says what it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.promote = True
        self.asked: list[dict] = []

    def __call__(self, **asked: object) -> GateDecision:
        champion = asked["champion"]
        asked["champion_bytes"] = champion.read_bytes() if isinstance(champion, Path) else None
        self.asked.append(asked)
        passed = Check(name="pck", passed=self.promote, figure=1.5, limit=-0.5, text="1.5 points above")
        return GateDecision(self.promote, [passed], "it is better" if self.promote else "it is worse")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr("splitpose.promotion.automatic.gate.judge", gate)
    return gate


class Workspace:
    """A project after a run: one variant's file with its card, and its MLflow run."""

    def __init__(self, root: Path, repository: Path, content: bytes):
        self.root, self.content = root, content
        profile = yaml.safe_load((repository / "profiles" / "sample.yaml").read_text())
        for name, text in {
            "params.yaml": "profile: sample\nvariants: {final: {}}\n",
            "profiles/sample.yaml": yaml.safe_dump(profile),
        }.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        self.trained("a")

    def trained(self, weights: str) -> None:
        """A new training's file."""
        from splitpose.inference.metadata import Metadata, embed_metadata

        described = Metadata(
            variant="final", precision="int8", output="coordinates", heatmap_fwhm=None, decoding=None,
            weights_sha256=weights, crops_sha256="c", **FACTS,
        )  # fmt: skip
        path = self.root / "models" / "final" / "int8.tflite"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(embed_metadata(self.content, described))
        self.runs = {"final": open_run(self.root, "sample", "final", weights).id}

    def decide(self, dry_run: bool = False) -> decisions.Decision:
        return decide(self.root, self.runs, dry_run)

    @property
    def registry(self) -> Registry:
        return Registry(self.root, "sample")

    def champion(self) -> str | None:
        version = self.registry.champion()
        return version.number if version else None

    def lines(self) -> list[tuple[str, str | None]]:
        """Action and challenger's version of each kept decision."""
        return [(one.action, (one.challenger or {}).get("number")) for one in decisions.read(self.root / DECISIONS)]


@pytest.fixture
def workspace(tmp_path, repository, content, monkeypatch) -> Workspace:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Workspace(tmp_path, repository, content)


@pytest.fixture(scope="session")
def content() -> bytes:
    """A TFLite file that does nothing."""
    import tensorflow as tf

    signature = tf.TensorSpec((1, 8, 8, 3), tf.float32)
    function = tf.function(lambda crop: tf.reduce_sum(crop) * tf.ones((1, 11, 2)), autograph=False)
    concrete = function.get_concrete_function(signature)
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


def test_the_first_one_becomes_champion_and_the_decision_is_kept_twice(workspace, gate):
    decision = workspace.decide()
    assert (decision.action, decision.by, decision.dry_run) == ("promote", "retrain", False)
    assert gate.asked[0]["champion"] is None and gate.asked[0]["unreadable"] is None
    assert workspace.champion() == "1"
    assert decisions.read(workspace.root / DECISIONS) == [decision]
    tags = workspace.registry.champion().tags
    assert json.loads(tags[f"{kept.TAG}{decision.time}"])["checks"][0]["figure"] == 1.5


def test_a_worse_one_stays_challenger(workspace, gate):
    workspace.decide()
    workspace.trained("b")
    gate.promote = False
    decision = workspace.decide()
    assert (decision.action, decision.reason) == ("keep", "it is worse")
    assert (decision.champion["number"], decision.challenger["number"]) == ("1", "2")
    assert gate.asked[1]["champion_bytes"] is not None
    assert (workspace.champion(), workspace.registry.challenger().number) == ("1", "2")


def test_a_dry_run_changes_nothing_but_tells(workspace, gate):
    decision = workspace.decide(dry_run=True)
    assert (decision.action, decision.dry_run, decision.challenger["variant"]) == ("promote", True, "final")
    assert workspace.registry.versions() == []
    assert [one.dry_run for one in decisions.read(workspace.root / DECISIONS)] == [True]


def test_the_same_file_again_makes_no_second_version(workspace, gate):
    workspace.decide()
    gate.promote = False
    workspace.decide()
    assert [version.number for version in workspace.registry.versions()] == ["1"]
    assert workspace.lines() == [("promote", "1"), ("keep", "1")]


def test_a_champion_that_cannot_be_had_is_told_to_the_gate(workspace, gate):
    workspace.decide()
    (artifact,) = (workspace.root / "mlartifacts").rglob("*.tflite")
    artifact.unlink()
    workspace.trained("b")
    workspace.decide()
    assert gate.asked[1]["champion"] is None
    assert "its file is gone" in gate.asked[1]["unreadable"]


def test_what_was_rolled_back_by_hand_waits_for_a_hand(workspace, gate):
    params = workspace.root / "params.yaml"
    workspace.decide()
    workspace.trained("b")
    workspace.decide()
    by_hand.rollback(params, "wrists jump")
    decision = workspace.decide()
    assert decision.action == "keep"
    assert decision.reason.startswith("it was rolled back by hand (wrists jump), and waits for `splitpose promote`")
    assert workspace.champion() == "1"
    by_hand.promote(params, "2", "the wrists were the camera's fault")
    by_hand.rollback(params, "now the elbows")
    by_hand.promote(params, "2", "no")
    assert workspace.decide().action == "promote"  # the last word on it was a promotion


def test_lines_that_a_crash_swallowed_come_back(workspace, gate):
    first = workspace.decide()
    (workspace.root / DECISIONS).unlink()
    second = workspace.decide()
    assert decisions.read(workspace.root / DECISIONS) == [first, second]


def test_a_crash_between_tag_and_alias_is_made_good_by_the_next_run(workspace, gate, monkeypatch):
    def crash(self: Registry, version: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Registry, "promote", crash)
        with pytest.raises(KeyboardInterrupt):
            workspace.decide()
    assert workspace.champion() is None
    workspace.decide()
    assert workspace.champion() == "1"
    assert workspace.lines() == [("promote", "1"), ("promote", "1")]


def test_a_gate_whose_variant_is_not_made_is_named(workspace, gate):
    with pytest.raises(InputError, match=r"^params.yaml: variants: final is missing, which gate.variant of sample"):
        decide(workspace.root, {"baseline": "x"}, dry_run=False)


def test_times_of_decisions_differ():
    assert len({kept.now() for _ in range(3)}) == 3
