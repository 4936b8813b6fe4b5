"""The comparison of an earlier commit: hash from the commit's dvc.lock, content from DVC's cache."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from splitpose import paths
from splitpose.tracking.git import git
from splitpose.yaml_files import parse_yaml

MAX_COMMITS = 20
"""Maximum number of commits to search: the latest ones that changed dvc.lock."""


def find_previous_comparison(root: Path, present: dict[str, Any]) -> tuple[str, str, dict[str, Any]] | None:
    """Return the latest committed comparison that differs from the present one and is of the same profile.

    The present comparison itself may have been committed already; it is skipped.

    Args:
        root: root of the project.
        present: content of the present comparison.json.

    Returns:
        The commit, its date (ISO 8601) and its comparison; None without git or DVC, or if no such comparison is in
        DVC's cache.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    committed = [(commit, date, _comparison_hash(root, commit)) for commit, date in _commits(root)]
    try:
        with Repo(str(root)) as repo:
            for commit, date, md5 in committed:
                path = Path(repo.cache.local.oid_to_path(md5)) if md5 else None
                if path is None or not path.is_file():
                    continue
                content: dict[str, Any] = json.loads(path.read_text())
                if content != present and content.get("profile") == present["profile"]:
                    return commit, date, content
    except DvcException:  # The project does not use DVC.
        return None
    return None


def _commits(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the commits that changed dvc.lock and their dates, the latest first."""
    log = git(root, "log", f"--max-count={MAX_COMMITS}", "--format=%H %cI", "--", "dvc.lock") or ""
    for line in log.splitlines():
        commit, date = line.split()
        yield commit, date


def _comparison_hash(root: Path, commit: str) -> str | None:
    """Return the MD5 of comparison.json in a commit's dvc.lock."""
    lock = parse_yaml(git(root, "show", f"{commit}:./dvc.lock") or "{}", f"{commit}:dvc.lock")
    outs = [out for stage in lock.get("stages", {}).values() for out in stage.get("outs", [])]
    return next((out["md5"] for out in outs if out["path"] == paths.COMPARISON.as_posix()), None)
