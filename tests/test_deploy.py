"""The systemd unit of deploy/, as docs/operations.md installs it."""

import getpass
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit


def test_the_unit_is_valid_after_the_documented_replacements(repository, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    project = tmp_path / "project"
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / "docs").mkdir()
    (project / ".venv" / "bin" / "splitpose").symlink_to(Path(sys.executable))
    text = (repository / "deploy" / "splitpose.service").read_text()
    expression = "s|PROJECT|$PWD|g; s|USER|$(id -un)|g"
    assert expression in (repository / "docs" / "operations.md").read_text()
    unit = tmp_path / "splitpose.service"
    unit.write_text(text.replace("PROJECT", str(project)).replace("USER", getpass.getuser()))
    result = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
