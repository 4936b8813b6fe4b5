import subprocess
from pathlib import Path

import pytest

from splitpose.tracking.lineage import commit

FILES = ("dvc.lock", "data/incoming.dvc", "params.yaml")


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=user", "-c", "user.email=user@example.com"]
    return subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "data").mkdir()
    for name in FILES:
        (tmp_path / name).write_text("1")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "note"),
    [("dvc.lock", ""), ("data/incoming.dvc", ""), ("params.yaml", " with uncommitted changes"), ("new.txt", "")],
)
def test_only_changes_that_dvc_did_not_write_count(project: Path, file: str, note: str) -> None:
    (project / file).write_text("2")
    assert commit(project) == git(project, "rev-parse", "HEAD").strip() + note


def test_without_git(tmp_path: Path) -> None:
    assert commit(tmp_path) == "no git"
