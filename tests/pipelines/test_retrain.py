"""The flow `retrain` on a toy project: which stages run, and which weights training starts from."""

import subprocess
from types import SimpleNamespace

import pytest
from support import toy_project, yaml
from support.flow_runner import FlowRunner, kill_processes
from support.tiny_project import tiny_profile

from pipelines import dvc
from pipelines.retrain import choose_scope
from pipelines.tasks import Scope
from splitpose.errors import InputError

pytestmark = pytest.mark.integration

INITIAL_WEIGHTS = """\
  initial_weights:
    matrix: {variant: '${variants}'}
    cmd:
      - mkdir -p models/${item.variant}/initial
      - cd models/${item.variant}/initial && (printenv SPLITPOSE_INITIAL_WEIGHTS || echo unset) > source.txt
    deps: [data/crops]
    outs: ['models/${item.variant}/initial']
  train_frozen:
"""
FLOW = """\
from types import SimpleNamespace
from pipelines import retrain as module

module.decide = lambda root, runs, dry_run: SimpleNamespace(
    warnings=[], checks=[], headline=f"scored {' and '.join(sorted(runs))}", as_markdown=lambda: "kept"
)
module.retrain(%s)
"""

COMMAND = """\
import sys
from splitpose.cli import main
from splitpose.promotion.decision import Decision
from pipelines import incoming, retrain, tasks

incoming.update = lambda *options: None
tasks.bring_up_to_date = lambda *options, **others: {}
tasks.share_results = lambda: None
check = {"name": "pck", "passed": False, "value": -2.0, "limit": -0.5, "text": "2.0 points lower"}
retrain.decide = lambda root, runs, dry_run: Decision(
    time="t", profile="tiny", action="keep", by="automatic", dry_run=dry_run, challenger={"number": ""},
    champion={"number": "1"}, checks=[check], reason="the check pck failed: 2.0 points lower",
)
sys.exit(main(["retrain", "--dry-run"]))
"""
"""`splitpose retrain --dry-run` without stages."""


@pytest.fixture
def root(tmp_path, repository, monkeypatch):
    """A toy project whose training depends on initial weights; its gate promotes the variant plain."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "dvc"))
    pipeline = toy_project.PIPELINE.replace("  train_frozen:\n", INITIAL_WEIGHTS)
    frozen = "repeats/${item.repeat}/frozen.weights.h5\n    deps: [data/crops"
    assert frozen in pipeline
    pipeline = pipeline.replace(frozen, f"{frozen}, 'models/${{item.variant}}/initial'")
    root = toy_project.write(tmp_path / "project", pipeline)
    profile = tiny_profile(repository)
    profile["gate"]["variant"] = "plain"
    (root / "profiles" / "tiny.yaml").write_text(yaml.safe_dump(profile))
    yield root
    kill_processes(tmp_path)


def git(root, *words):
    user = ["-c", "user.name=u", "-c", "user.email=u@localhost"]
    return subprocess.run(["git", *user, *words], cwd=root, check=True, capture_output=True, text=True).stdout


def sources(root):
    """Return the source of the initial weights of each variant that has been trained."""
    return {path.parts[-3]: path.read_text().strip() for path in root.glob("models/*/initial/source.txt")}


def test_stages_of_one_variant_and_those_that_it_depends_on(root):
    assert sorted(dvc.stages(root, "plain")) == [
        "benchmark@plain", "convert@plain", "download", "evaluate@plain", "fine_tune@plain-1",
        "initial_weights@plain", "select@plain", "train_frozen@plain-1",
    ]  # fmt: skip
    assert dvc.stages(root, "plain")[0] == "download"
    assert len(dvc.stages(root)) == 16


@pytest.mark.parametrize(
    ("stage", "variant", "expected"),
    [
        ("evaluate@final", "final", True),
        ("fine_tune@final-12", "final", True),
        ("fine_tune@final_wide-1", "final", False),
        ("evaluate@final-a", "final", False),
        ("validate", "final", False),
    ],
)
def test_stages_belong_to_variants_by_their_name(stage, variant, expected):
    assert dvc.is_stage_of(stage, variant) is expected


def test_a_forced_stage_runs_again_with_its_variables(root):
    dvc.run_stage(root, "download", print)
    dvc.run_stage(root, "initial_weights@plain", print, variables={"SPLITPOSE_INITIAL_WEIGHTS": "champion"})
    dvc.run_stage(root, "initial_weights@plain", print)
    assert sources(root) == {"plain": "champion"}  # up to date
    dvc.run_stage(root, "initial_weights@plain", print, force=True)
    assert sources(root) == {"plain": "unset"}


def test_scope_of_the_flags(root):
    assert choose_scope(root, False, False) == Scope("plain", "champion")
    assert choose_scope(root, False, True) == Scope("plain", "none", force_initial_weights=True)
    assert choose_scope(root, True, False) == Scope(force_initial_weights=True)
    assert choose_scope(root, True, True) == Scope(None, "none", force_initial_weights=True)


def test_all_variants_may_start_from_the_champion(root):
    """Then the champion is looked up only when there is new data."""
    path = root / "profiles" / "tiny.yaml"
    path.write_text(path.read_text().replace("initial_weights: null", "initial_weights: champion"))
    assert choose_scope(root, True, False) == Scope()


def test_a_gate_without_its_variant_is_reported(root):
    (root / "params.yaml").write_text("profile: tiny\nvariants: {fast: {}}\n")
    with pytest.raises(InputError, match=r"^params.yaml: variants: plain is missing, which gate.variant of tiny"):
        choose_scope(root, False, False)


def test_only_the_variant_of_the_gate_is_updated_unless_all_are_requested(root, prefect, repository, tmp_path):
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Code")
    user = {f"GIT_{role}_{key}": "u" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    runner = FlowRunner(root, prefect, repository, **user)
    status, output = runner.run(FLOW % "")
    assert status == 0, output
    assert "not committed: dvc.lock, reports/benchmark/plain.json (--commit commits them)" in output
    assert "only plain is brought up to date; the comparison and the report are not" in output
    assert "scored plain" in output
    stages = yaml.safe_load((root / "dvc.lock").read_text())["stages"]
    assert sorted(stages) == sorted(dvc.stages(root, "plain"))
    assert sources(root) == {"plain": "champion"}

    status, output = runner.run(FLOW % "from_scratch=True, commit=True")
    assert status == 0, output
    assert git(root, "log", "--format=%s").splitlines() == ["Retraining: scored plain", "Code"]
    assert sources(root) == {"plain": "none"}
    assert "Running stage 'train_frozen@plain-1'" in output
    assert "Running stage 'download'" not in output

    status, output = runner.run(FLOW % "all_variants=True")
    assert status == 0, output
    assert "scored fast and plain" in output
    assert sources(root) == {"plain": "unset", "fast": "unset"}
    assert (root / "reports" / "comparison.md").is_file()


def test_the_decision_is_the_last_line_also_after_the_temporary_server(tmp_path, repository):
    root = tmp_path / "project"
    (root / "profiles").mkdir(parents=True)
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = true\n")
    (root / "profiles" / "final.yaml").write_text(yaml.safe_dump(tiny_profile(repository)))
    (root / "params.yaml").write_text("profile: final\nvariants: {final: {}, baseline: {}}\n")
    runner = FlowRunner(root, SimpleNamespace(health="unused"), repository)
    del runner.environment["PREFECT_API_URL"]
    status, output = runner.run(COMMAND)
    assert status == 0, output
    *others, last = output.splitlines()
    line = "dry run, nothing was changed: would keep version 1: the check pck failed: 2.0 points lower"
    assert last == line
    assert "Stopping temporary server" in others[-1]
    assert any("FAILED: pck: 2.0 points lower" in other for other in others)
    assert any(f"Completed('{line}')" in other for other in others)  # Prefect's UI shows it as the state's message
