"""Read-only git commands."""

import subprocess
from pathlib import Path


def git(root: Path, *arguments: str) -> str | None:
    """Return the output of a git command that runs in `root`, None if it fails, e.g. outside a repository."""
    command = ["git", *arguments]
    try:
        result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # git is not installed
        return None
    return result.stdout.strip() if result.returncode == 0 else None
