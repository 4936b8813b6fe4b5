"""The rule by which flows commit the state of the workspace to git.

The state is the files that git tracks and that the pipeline writes (`lineage.WRITTEN_BY_DVC`): dvc.lock,
data/incoming.dvc and the benchmarks. A run that commits starts from the newest state of its branch and ends with
one commit of exactly these files, after their data was pushed to the DVC remote. So every commit can be restored
with `git checkout` and `dvc pull`, and every clone starts where the last run ended, whichever machine it ran on.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipelines import dvc
from splitpose.errors import ExternalServiceError, InputError, some_of
from splitpose.tracking.git import git
from splitpose.tracking.lineage import WRITTEN_BY_DVC, commit

Log = Callable[[str], None]


@dataclass(frozen=True)
class Branch:
    """The branch that a run commits to."""

    name: str
    head: str
    """The commit that the run starts from."""
    remote: str | None
    """The git remote of its upstream branch; None if it has none, so that nothing is fetched and pushed."""
    upstream: str
    """The name of the upstream branch on the remote; empty if it has none."""

    @property
    def tracking(self) -> str:
        """The name of the upstream branch in this clone, e.g. origin/main."""
        return f"{self.remote}/{self.upstream}"


def start(root: Path, log: Log) -> Branch:
    """Update the state to that of the upstream branch, and return the branch that the run will commit to.

    Raises:
        InputError: No branch is checked out, other files have uncommitted changes, or the upstream branch has newer
            code or other commits than this clone. Or the new state cannot be pulled (`dvc.StageError`); the branch
            is as before.
        ExternalServiceError: the git remote is not available.
    """
    name = git(root, "symbolic-ref", "--short", "--quiet", "HEAD")
    head = commit(root)
    if not name:
        raise InputError(f"{root}: no git branch is checked out; check one out, or run without --commit")
    if " " in head:
        raise InputError(
            f"{root}: the project is at {head}; commit them before the run, so that its results can be reproduced"
        )
    remote = git(root, "config", f"branch.{name}.remote")
    upstream = (git(root, "config", f"branch.{name}.merge") or "").removeprefix("refs/heads/")
    branch = Branch(name, head, remote, upstream)
    if remote and (newer := _newer_state(root, branch)):
        log(f"{name}: updating to the state of {branch.tracking}, commit {newer}")
        _update(root, branch, log)
        return Branch(name, newer, remote, upstream)
    return branch


def finish(root: Path, branch: Branch, message: str, log: Log) -> None:
    """Commit the state if it has changed, and push the branch to its upstream branch if there is one.

    Raises:
        InputError: another branch or commit was checked out during the run, or git does not commit, for example
            because a hook fails; nothing is committed.
        ExternalServiceError: the remote does not accept the commit, which remains in this clone.
    """
    if uncommitted(root):
        _commit(root, branch, message)
        log(f"{branch.name}: committed the state as {git(root, 'rev-parse', 'HEAD')}")
    else:
        log("the state has not changed, so there is nothing to commit")
    if branch.remote:  # also a commit that an earlier run could not push
        try:
            _git(root, "push", "--quiet", branch.remote, f"HEAD:refs/heads/{branch.upstream}")
        except InputError as error:
            raise ExternalServiceError(
                f"{error}; the state is committed in this clone; bring {branch.name} and {branch.tracking} together"
            ) from error


def _commit(root: Path, branch: Branch, message: str) -> None:
    head, name = git(root, "rev-parse", "HEAD"), git(root, "symbolic-ref", "--short", "--quiet", "HEAD")
    if (head, name) != (branch.head, branch.name):
        raise InputError(
            f"{root}: the run started at commit {branch.head} of {branch.name}, but {name or 'no branch'} is now "
            f"at {head}; the state is not committed"
        )
    files = [path for path in WRITTEN_BY_DVC if (root / path).exists()]
    _git(root, "add", "--all", "--", *files)
    _git(root, "commit", "--quiet", "--only", "--message", message, "--", *files)


def uncommitted(root: Path) -> list[str]:
    """Return the files of the state that differ from git's HEAD; none outside a git repository."""
    status = git(root, "status", "--porcelain", "--untracked-files=all", "--", *WRITTEN_BY_DVC)
    return [line.split(maxsplit=1)[1] for line in (status or "").splitlines()]


def _newer_state(root: Path, branch: Branch) -> str | None:
    """Return the commit of the upstream branch if it has a newer state; raises InputError as `start` does."""
    try:
        _git(root, "fetch", "--quiet", str(branch.remote))
    except InputError as error:
        raise ExternalServiceError(str(error)) from error
    newer = git(root, "rev-parse", "--verify", "--quiet", branch.tracking)
    if newer is None or git(root, "rev-list", "--count", f"HEAD..{newer}") == "0":
        return None
    if git(root, "rev-list", "--count", f"{newer}..HEAD") != "0":
        raise InputError(f"{branch.name} and {branch.tracking} have diverged; bring them together with `git pull`")
    changed = _git(root, "diff", "--name-only", "HEAD", newer).splitlines()
    if code := [path for path in changed if not _is_state(path)]:
        raise InputError(
            f"{branch.tracking}: has newer code ({some_of(code)}); update this clone with `git pull`, `make setup` "
            "and `dvc pull`"
        )
    return newer


def _update(root: Path, branch: Branch, log: Log) -> None:
    """Fast-forward the branch to its upstream branch and pull the data; if that fails, return to its commit."""
    _git(root, "merge", "--ff-only", "--quiet", branch.tracking)
    try:
        dvc.pull(root, log)
    except dvc.StageError:
        _git(root, "reset", "--quiet", "--keep", branch.head)
        raise


def _is_state(path: str) -> bool:
    return any(Path(path).is_relative_to(file) for file in WRITTEN_BY_DVC)


def _git(root: Path, *arguments: str) -> str:
    """Return the output of a git command; raises InputError with git's reason if it fails."""
    result = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = [line.strip() for line in (result.stderr or result.stdout).splitlines() if line.strip()]
        raise InputError(f"git {arguments[0]}: {' '.join(lines) or 'failed without a message'}")
    return result.stdout.strip()
