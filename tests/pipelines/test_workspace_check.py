import os
import shutil
import subprocess
import sys

import pytest

from pipelines.dvc import StageError, _failure_reason, collect_garbage
from pipelines.workspace_check import check
from splitpose.errors import InputError

REMEDY = "run `git init` there, or `dvc config --local core.no_scm true` to use the project without git"


@pytest.fixture
def project(tmp_path):
    """A DVC project without git."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\n")
    return tmp_path


def test_a_project_without_git_is_reported_with_the_remedies(project):
    message = f"^{project}: is not a git repository; {REMEDY}$"
    with pytest.raises(InputError, match=message):
        check(project)
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    check(project)
    shutil.rmtree(project / ".git")
    with pytest.raises(InputError, match=message):
        check(project)
    (project / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    check(project)


def test_a_project_in_a_folder_of_a_git_repository_is_accepted_or_reported(project):
    (project / "inner" / ".dvc").mkdir(parents=True)
    (project / "inner" / ".dvc" / "config").write_text("[core]\n    no_scm = true\n")
    check(project / "inner")


def test_a_command_of_dvc_without_git_names_the_remedies(project):
    assert _failure_reason("train", [f"ERROR: {project} is not a git repository"]).endswith(f"repository; {REMEDY}")
    with pytest.raises(StageError, match=f"is not a git repository; {REMEDY}$"):
        collect_garbage(project, "2026-01-01", True)


def test_another_folder_is_reported(tmp_path):
    with pytest.raises(
        InputError, match=r"is not the project, which has the folder \.dvc; run this in the project's"
    ):
        check(tmp_path)


@pytest.mark.parametrize("read_only", [".", ".dvc", "data", "dvc.lock"])
def test_a_read_only_checkout_is_reported_before_anything_runs(project, read_only):
    path = project / read_only
    path.chmod(path.stat().st_mode & ~0o222)
    # The superuser may write everywhere unless this capability is removed.
    command = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.getuid() == 0 else []
    if command and not shutil.which("setpriv"):
        pytest.skip("setpriv is missing (Debian: apt install util-linux)")
    command += [sys.executable, "-m", "pipelines.workspace_check"]
    repository = str(check.__code__.co_filename).rsplit("/pipelines/", 1)[0]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([repository, f"{repository}/src"])}
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    path.chmod(path.stat().st_mode | 0o200)
    reason = "the file is read-only" if read_only == "dvc.lock" else "Permission denied"
    remedy = f"make {project} writable, or copy the project to a folder of your own"
    assert (result.returncode, result.stderr) == (1, f"error: {path}: {reason}; {remedy}\n")
