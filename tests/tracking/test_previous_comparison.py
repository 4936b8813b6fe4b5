import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from support import yaml

from splitpose.tracking.previous_comparison import find_previous_comparison

pytestmark = pytest.mark.integration


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    completed = subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True, text=True)
    return completed.stdout.strip()


def comparison(pck: float, profile: str = "sample") -> dict[str, Any]:
    return {"profile": profile, "variants": {"final": {"pck": pck}}}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    Repo.init(str(tmp_path)).close()
    return tmp_path


def commit(root: Path, content: dict[str, Any], cached: bool = True, stage: str = "compare") -> str:
    """Commit a dvc.lock with this comparison and put the file into DVC's cache; return the commit."""
    data = json.dumps(content).encode()
    md5 = hashlib.md5(data).hexdigest()
    lock = {"schema": "2.0", "stages": {stage: {"outs": [{"path": "reports/comparison.json", "md5": md5}]}}}
    (root / "dvc.lock").write_text(yaml.safe_dump(lock))
    if cached:
        with Repo(str(root)) as repo:
            path = Path(repo.cache.local.oid_to_path(md5))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    git(root, "add", "dvc.lock")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "state")
    return git(root, "rev-parse", "HEAD")


def test_the_comparison_of_the_last_commit(project: Path) -> None:
    commit(project, comparison(1.0))
    last = commit(project, comparison(2.0), stage="report")  # In earlier versions, the stage report wrote it.
    found = find_previous_comparison(project, comparison(3.0))
    assert found is not None
    assert (found[0], found[2]) == (last, comparison(2.0))
    assert found[1] == git(project, "log", "-1", "--format=%cI")


def test_the_present_comparison_is_not_the_previous_one(project: Path) -> None:
    first = commit(project, comparison(1.0))
    commit(project, comparison(2.0))
    found = find_previous_comparison(project, comparison(2.0))
    assert found is not None
    assert (found[0], found[2]) == (first, comparison(1.0))


def test_comparisons_of_other_profiles_or_without_cached_files_are_skipped(project: Path) -> None:
    first = commit(project, comparison(1.0))
    commit(project, comparison(2.0), cached=False)
    commit(project, comparison(3.0, profile="flic"))
    found = find_previous_comparison(project, comparison(4.0))
    assert found is not None
    assert found[0] == first


def test_without_git_dvc_or_commits_there_is_none(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert find_previous_comparison(project, comparison(1.0)) is None
    assert find_previous_comparison(tmp_path_factory.mktemp("empty"), comparison(1.0)) is None
    without_dvc = tmp_path_factory.mktemp("without_dvc")
    git(without_dvc, "init", "--quiet")
    commit(without_dvc, comparison(1.0), cached=False)
    assert find_previous_comparison(without_dvc, comparison(2.0)) is None


def test_a_commit_without_a_comparison_is_skipped(project: Path) -> None:
    (project / "dvc.lock").write_text("schema: '2.0'\n")
    git(project, "add", "dvc.lock")
    git(project, "commit", "--quiet", "--message", "no stages")
    assert find_previous_comparison(project, comparison(1.0)) is None
