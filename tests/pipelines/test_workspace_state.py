"""The state that runs commit, with real git and DVC: two clones, a git remote and a DVC remote."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import dvc, workspace_state
from pipelines.dvc import StageError
from splitpose.errors import ExternalServiceError, InputError

pytestmark = pytest.mark.integration

STAGES = """\
stages:
  train:
    cmd: mkdir -p models && cat data/incoming/*.txt > models/weights.txt
    deps: [data/incoming]
    outs: [models/weights.txt]
  benchmark:
    cmd: mkdir -p reports/benchmark && wc -c < models/weights.txt > reports/benchmark/final.json
    deps: [models/weights.txt]
    outs: [reports/benchmark/final.json: {cache: false}]
"""
REMOTE = "[core]\n    remote = store\n['remote \"store\"']\n"
IGNORED = "/.dvc/*\n!/.dvc/config\n/data/?*\n!/data/incoming.dvc\n/models/\n/reports/*\n!/reports/benchmark/\n"
STATE = ["data/incoming.dvc", "dvc.lock", "reports/benchmark/final.json"]


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "u")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "u@localhost")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def run_dvc(root: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *words], cwd=root, check=True, capture_output=True, env=os.environ)


def clone(folder: Path, name: str) -> Path:
    git(folder, "clone", "--quiet", str(folder / "git"), name)
    (folder / name / ".dvc").mkdir(exist_ok=True)
    (folder / name / ".dvc" / "config.local").write_text(f"{REMOTE}    url = {folder / 'store'}\n")
    return folder / name


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A clone of a project without data; `tmp_path` also contains the git and the DVC remote."""
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "git")
    root = clone(tmp_path, "first")
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (root / "dvc.yaml").write_text(STAGES)
    (root / ".gitignore").write_text(IGNORED)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Code")
    git(root, "push", "--quiet", "--set-upstream", "origin", "HEAD:main")
    return root


def train(root: Path, message: str, delivery: str) -> list[str]:
    """Do what a flow with --commit does after a delivery, and return the log."""
    log: list[str] = []
    branch = workspace_state.start(root, log.append)
    (root / "data" / "incoming").mkdir(parents=True, exist_ok=True)
    (root / "data" / "incoming" / f"{delivery}.txt").write_text(f"{delivery}\n")
    run_dvc(root, "add", "--quiet", "data/incoming")
    run_dvc(root, "repro", "--quiet")
    dvc.push(root, print)
    workspace_state.finish(root, branch, message, log.append)
    return log


def write_state(root: Path, text: str) -> None:
    """Write state files without running DVC."""
    (root / "dvc.lock").write_text(text)
    (root / "reports" / "benchmark").mkdir(parents=True, exist_ok=True)
    (root / "reports" / "benchmark" / "final.json").write_text(text)


def committed(root: Path) -> list[str]:
    """Return the files of the last commit."""
    return sorted(git(root, "show", "--name-only", "--format=").split())


def test_a_run_continues_from_the_last_state_and_every_state_can_be_restored(first: Path, tmp_path: Path) -> None:
    second = clone(tmp_path, "second")
    train(first, "Retraining: promoted version 1", "monday")
    assert committed(first) == STATE
    unrecorded = second / "data" / "incoming" / "tuesday.txt"
    unrecorded.parent.mkdir(parents=True)
    unrecorded.write_text("tuesday\n")
    before = git(second, "rev-parse", "HEAD")
    with pytest.raises(StageError, match="dvc pull: "):  # it would replace new data
        workspace_state.start(second, print)
    assert git(second, "rev-parse", "HEAD") == before
    assert unrecorded.is_file()
    unrecorded.unlink()
    log = train(second, "Retraining: promoted version 2", "wednesday")
    assert log[0].startswith("main: updating to the state of origin/main, commit ")
    assert (second / "models" / "weights.txt").read_text() == "monday\nwednesday\n"
    assert git(second, "rev-parse", "HEAD~1") == git(first, "rev-parse", "HEAD")
    git(second, "checkout", "--quiet", git(second, "log", "--format=%H", "--grep=promoted version 1"))
    run_dvc(second, "pull", "--quiet")
    assert (second / "models" / "weights.txt").read_text() == "monday\n"


def test_only_the_state_is_committed_and_only_if_it_changed(first: Path) -> None:
    log: list[str] = []
    branch = workspace_state.start(first, print)
    write_state(first, "1")
    (first / "untracked.txt").write_text("untracked")
    (first / "staged.txt").write_text("staged")
    git(first, "add", "staged.txt")
    workspace_state.finish(first, branch, "Retraining: kept version 1", print)
    assert committed(first) == STATE[1:]
    assert git(first, "log", "-1", "--format=%s") == "Retraining: kept version 1"
    assert git(first, "status", "--porcelain") == "A  staged.txt\n?? untracked.txt"
    head = git(first, "rev-parse", "HEAD")
    assert head == git(first, "rev-parse", "origin/main")
    workspace_state.finish(first, branch, "Retraining: kept version 1", log.append)
    assert log == ["the state has not changed, so there is nothing to commit"]
    assert git(first, "rev-parse", "HEAD") == head


def test_new_code_stops_the_run_before_it_starts(first: Path, tmp_path: Path) -> None:
    second = clone(tmp_path, "second")
    (second / "code.py").write_text("1\n")
    git(second, "add", "code.py")
    git(second, "commit", "--quiet", "--message", "Code")
    git(second, "push", "--quiet")
    with pytest.raises(InputError, match=r"^origin/main: has newer code \(code.py\); update this clone with"):
        workspace_state.start(first, print)
    git(first, "commit", "--quiet", "--allow-empty", "--message", "Here")
    with pytest.raises(InputError, match=r"^main and origin/main have diverged"):
        workspace_state.start(first, print)


def test_uncommitted_code_and_a_detached_head_stop_the_run(first: Path) -> None:
    (first / "dvc.yaml").write_text(STAGES + "# a comment\n")
    with pytest.raises(InputError, match="with uncommitted changes; commit them before the run"):
        workspace_state.start(first, print)
    git(first, "checkout", "--quiet", "--detach", "--force")
    with pytest.raises(InputError, match="no git branch is checked out"):
        workspace_state.start(first, print)


def test_a_commit_during_the_run_is_not_mixed_with_the_state(first: Path) -> None:
    branch = workspace_state.start(first, print)
    write_state(first, "1")
    git(first, "commit", "--quiet", "--allow-empty", "--message", "Meanwhile")
    with pytest.raises(InputError, match="the state is not committed"):
        workspace_state.finish(first, branch, "Retraining", print)
    assert git(first, "log", "-1", "--format=%s") == "Meanwhile"
    assert workspace_state.uncommitted(first) == STATE[1:]


def test_a_rejected_push_keeps_the_commit_and_the_next_run_pushes_it(first: Path, tmp_path: Path) -> None:
    hook = tmp_path / "git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'branch is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    branch = workspace_state.start(first, print)
    write_state(first, "1")
    with pytest.raises(ExternalServiceError, match=r"branch is protected.*; the state is committed in this clone"):
        workspace_state.finish(first, branch, "Retraining", print)
    hook.unlink()
    workspace_state.finish(first, workspace_state.start(first, print), "Retraining", print)
    assert git(first, "rev-parse", "HEAD") == git(tmp_path / "git", "rev-parse", "main")


def test_without_an_upstream_branch_nothing_is_pushed(first: Path, tmp_path: Path) -> None:
    git(first, "checkout", "--quiet", "-b", "local")
    (tmp_path / "git").rename(tmp_path / "moved")
    branch = workspace_state.start(first, print)
    write_state(first, "1")
    workspace_state.finish(first, branch, "Retraining", print)
    assert committed(first) == STATE[1:]


def test_an_unreachable_git_remote_may_be_retried(first: Path, tmp_path: Path) -> None:
    (tmp_path / "git").rename(tmp_path / "moved")
    with pytest.raises(ExternalServiceError, match=r"^git fetch: "):
        workspace_state.start(first, print)
