import sys
from pathlib import Path

import pytest
from support import toy_project

from pipelines import dvc

pytestmark = pytest.mark.integration

STAGES = """\
stages:
  second:
    cmd: cat first.txt && echo beta > second.txt
    deps: [first.txt]
    outs: [second.txt]
  first:
    cmd: echo alpha > first.txt; echo to stdout; echo to stderr >&2; which python
    outs: [first.txt]
  broken:
    cmd: "echo working; echo 'error: numbers.yaml: no such key' >&2; exit 3"
  crash:
    cmd: python -c "1/0"
  hungry:
    cmd: echo never
    deps: [missing.txt]
  endless:
    cmd: echo started && sleep 300 & sleep 300
  stubborn:
    cmd: trap '' INT TERM; echo started; while true; do sleep 0.1; done
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "dvc"))
    return toy_project.write(tmp_path / "project", STAGES)


def test_stages_are_in_topological_order(project):
    names = dvc.stages(project)
    assert names.index("first") < names.index("second")
    assert sorted(names) == ["broken", "crash", "endless", "first", "hungry", "second", "stubborn"]


def test_stages_of_variants_have_separate_names(tmp_path):
    names = dvc.stages(toy_project.write(tmp_path))
    assert (names[0], names[-1], len(names)) == ("download", "report", 14)
    chain = ["train_frozen@fast-1", "fine_tune@fast-1", "select@fast", "convert@fast", "benchmark@fast"]
    assert [name for name in names if name in chain] == chain


def test_upstream_stages_are_in_topological_order_without_the_given_ones(tmp_path):
    root = toy_project.write(tmp_path)
    assert dvc.upstream(root, ["train_frozen@fast-1", "fine_tune@fast-1"]) == ["download"]
    assert dvc.upstream(root, ["select@fast"]) == ["download", "train_frozen@fast-1", "fine_tune@fast-1"]
    assert dvc.upstream(root, ["download"]) == []


def test_output_is_logged_and_python_is_this_interpreter(project):
    lines = []
    dvc.run_stage(project, "first", lines.append)
    assert {"to stdout", "to stderr", str(Path(sys.executable).parent / "python")} <= set(lines)
    assert (project / "first.txt").read_text() == "alpha\n"


def test_only_the_given_stage_runs(project):
    with pytest.raises(dvc.StageError, match=r"^second: .*first.txt"):
        dvc.run_stage(project, "second", print)
    assert not (project / "first.txt").exists()


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("broken", "broken: numbers.yaml: no such key"),
        ("crash", "crash: ZeroDivisionError: division by zero"),
        ("hungry", "hungry: dependency 'missing.txt' does not exist"),
    ],
)
def test_a_failure_names_its_reason(project, stage, message):
    with pytest.raises(dvc.StageError) as caught:
        dvc.run_stage(project, stage, print)
    assert str(caught.value) == message


@pytest.mark.parametrize("stage", ["endless", "stubborn"])
def test_an_interrupted_stage_leaves_no_process(project, monkeypatch, stage, remaining_processes):
    monkeypatch.setenv("TOY_PROJECT", str(project))
    monkeypatch.setattr(dvc, "GRACE_PERIOD", 0.5)

    def interrupt_when_started(line):
        if line == "started":
            assert remaining_processes(project)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dvc.run_stage(project, stage, interrupt_when_started)
    assert remaining_processes(project) == []
