import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import dvc, incoming
from splitpose.data.incoming import ALLOW_FEWER
from splitpose.errors import InputError

pytestmark = pytest.mark.integration

STAGES = """\
stages:
  list:
    cmd: find data/incoming -type f | sort > list.txt
    deps: [data/incoming]
    params: [number]
    outs: [list.txt: {cache: false}]
"""
IGNORED = "/data/?*\n!/data/incoming.dvc\n"
EMPTY = "d751713988987e9331980363e24189ce.dir"


def run(root: Path, *words: str) -> str:
    identity = {f"GIT_{role}_{key}": "u" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    environment = os.environ | identity
    return subprocess.run(words, cwd=root, check=True, capture_output=True, env=environment, text=True).stdout


def run_dvc(root: Path, *words: str) -> None:
    run(root, sys.executable, "-m", "dvc", *words)


def commit(root: Path) -> None:
    run(root, "git", "add", "--all")
    run(root, "git", "commit", "--quiet", "--message", "new")


def deliver(root: Path, folder: str, *names: str) -> None:
    (root / "data" / "incoming" / folder).mkdir()
    for name in names:
        (root / "data" / "incoming" / folder / name).write_text(f"{folder} {name}")


def files(root: Path) -> list[str]:
    folder = root / "data" / "incoming"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def update(root: Path, allow_fewer: bool = False) -> None:
    incoming.update(root, allow_fewer, print)


def error(root: Path) -> str:
    """Return the message of the error that stops an update, which changes nothing."""
    before = (root / "data" / "incoming.dvc").read_text(), files(root)
    with pytest.raises(InputError) as raised:
        update(root)
    assert ((root / "data" / "incoming.dvc").read_text(), files(root)) == before
    return str(raised.value)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project in git with an empty data/incoming/ and a DVC remote."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "dvc"))
    monkeypatch.delenv(ALLOW_FEWER, raising=False)
    root = tmp_path / "project"
    (root / "data" / "incoming").mkdir(parents=True)
    run(root, "git", "init", "--quiet", "--initial-branch", "main")
    run_dvc(root, "init", "--quiet")
    (root / "dvc.yaml").write_text(STAGES)
    (root / "params.yaml").write_text("number: 1\n")
    (root / ".gitignore").write_text(IGNORED)
    run_dvc(root, "remote", "add", "--default", "store", str(tmp_path / "store"))
    run_dvc(root, "add", "data/incoming")
    commit(root)
    return root


@pytest.fixture
def delivered(project):
    """The project after a delivery of three files, which is recorded, pushed and committed."""
    deliver(project, "monday", "a.png", "b.png", "people.json")
    update(project)
    run_dvc(project, "push")
    commit(project)
    return project


def clone(root: Path) -> Path:
    copy = root.with_name("clone")
    run(root, "git", "clone", "--quiet", str(root), str(copy))
    return copy


def test_without_a_version_nothing_happens(tmp_path):
    update(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_not_a_stage(project):
    assert dvc.stages(project) == ["list"]


def test_new_files_are_recorded(project):
    deliver(project, "monday", "a.png", "b.png")
    update(project)
    version = (project / "data" / "incoming.dvc").read_text()
    assert EMPTY not in version
    assert "nfiles: 2" in version


def test_an_empty_folder_is_created_in_a_clone(project):
    copy = clone(project)
    update(copy)
    assert files(copy) == []
    run(copy, "git", "diff", "--exit-code")
    deliver(copy, "monday", "a.png")  # the clone's cache does not contain the empty version
    update(copy)
    assert "nfiles: 1" in (copy / "data" / "incoming.dvc").read_text()


def test_a_clone_pulls_the_same_files(delivered):
    copy = clone(delivered)
    update(copy)
    assert files(copy) == files(delivered) == ["monday/a.png", "monday/b.png", "monday/people.json"]
    run(copy, "git", "diff", "--exit-code")


def test_without_a_remote_a_missing_folder_is_restored_from_the_cache(delivered):
    run_dvc(delivered, "remote", "remove", "store")
    shutil.rmtree(delivered / "data" / "incoming")
    update(delivered)
    assert len(files(delivered)) == 3


def test_a_missing_folder_that_was_not_pushed_is_an_error(delivered):
    copy = clone(delivered)
    shutil.rmtree(delivered.with_name("store"))
    with pytest.raises(dvc.StageError, match=r"^dvc pull data/incoming: "):
        update(copy)


def test_lost_files_are_listed_and_nothing_changes(project):
    deliver(project, "monday", *"abcde")
    update(project)  # not committed to git
    shutil.rmtree(project / "data" / "incoming" / "monday")
    deliver(project, "tuesday", "f")
    assert error(project) == (
        "data/incoming: 5 of the 5 files in data/incoming.dvc are missing (monday/a, monday/b, monday/c and 2 "
        "more); restore them with `dvc pull data/incoming`, or accept the loss with --allow-fewer"
    )


def test_the_loss_can_be_accepted_for_the_stages_too(delivered, monkeypatch):
    monkeypatch.setenv(ALLOW_FEWER, "0")
    (delivered / "data" / "incoming" / "monday" / "a.png").unlink()
    update(delivered, allow_fewer=True)
    assert "nfiles: 2" in (delivered / "data" / "incoming.dvc").read_text()
    assert os.environ[ALLOW_FEWER] == "1"


def test_corrected_files_are_not_lost(delivered):
    (delivered / "data" / "incoming" / "monday" / "people.json").write_text("corrected")
    update(delivered)
    assert "nfiles: 3" in (delivered / "data" / "incoming.dvc").read_text()


def test_a_version_that_was_reduced_is_compared_with_that_of_git(delivered):
    (delivered / "data" / "incoming" / "monday" / "a.png").unlink()
    run_dvc(delivered, "repro", "data/incoming.dvc")
    assert error(delivered) == (
        "data/incoming: 1 of the 3 files in git's data/incoming.dvc are missing (monday/a.png); restore them with "
        "`git checkout data/incoming.dvc` and `dvc pull data/incoming`, or accept the loss with --allow-fewer"
    )
    run(delivered, "git", "checkout", "data/incoming.dvc")
    run_dvc(delivered, "pull", "data/incoming")
    update(delivered)
    assert len(files(delivered)) == 3


def test_a_clone_that_has_not_pulled_a_new_version_is_stopped(delivered):
    copy = clone(delivered)
    update(copy)
    deliver(delivered, "tuesday", "c.png")
    update(delivered)
    run_dvc(delivered, "push")
    commit(delivered)
    run(copy, "git", "pull", "--quiet")
    assert error(copy) == (
        "data/incoming: differs from the version in data/incoming.dvc, which is not in DVC's cache; restore it "
        "with `dvc pull data/incoming`, or accept that people are missing with --allow-fewer"
    )
    run_dvc(copy, "fetch")
    assert "1 of the 4 files in data/incoming.dvc are missing (tuesday/c.png); " in error(copy)
    run_dvc(copy, "pull", "data/incoming")
    update(copy)
    assert files(copy) == files(delivered)


def test_a_complete_folder_requires_no_cache(delivered):
    shutil.rmtree(delivered / ".dvc" / "cache")
    update(delivered)


def test_a_project_without_commits_or_git(delivered):
    for name in (".git/refs/heads/main", ".git"):
        path = delivered / name
        path.unlink() if path.is_file() else shutil.rmtree(path)
        (delivered / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
        update(delivered)
    (delivered / "data" / "incoming" / "monday" / "a.png").unlink()
    assert "1 of the 3 files in data/incoming.dvc are missing" in error(delivered)


@pytest.mark.parametrize("queued", [False, True], ids=["temporary", "queued"])
def test_experiments_outside_the_workspace_contain_a_new_delivery(delivered, queued):
    """As in a clone: the experiment's folder has only what git and DVC know."""
    deliver(delivered, "tuesday", "c.png")  # neither recorded nor committed
    run_dvc(delivered, "exp", "run", "--queue" if queued else "--temp", "--set-param", "number=2")
    if queued:
        run_dvc(delivered, "exp", "run", "--run-all")
    (experiment,) = run(delivered, "git", "for-each-ref", "--format=%(refname)", "refs/exps/*/*/*").split()
    assert run(delivered, "git", "show", f"{experiment}:list.txt").split() == [
        f"data/incoming/{name}" for name in files(delivered)
    ]
    assert "nfiles: 4" in run(delivered, "git", "show", f"{experiment}:data/incoming.dvc")
