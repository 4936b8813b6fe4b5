"""Whether the pipeline can run in a workspace at all, found before anything runs: git, DVC and write permission."""

import os
import sys
import tempfile
from pathlib import Path

from pipelines.dvc import NO_GIT, NO_GIT_REMEDY
from splitpose import paths
from splitpose.errors import InputError, one_line

FOLDERS = (Path(), Path(".dvc"), paths.DATA, paths.MODELS, paths.REPORTS, paths.BENCHMARKS)
"""Folders that the pipeline writes to; those that are missing are created below the first."""
FILES = (Path("dvc.lock"), paths.INCOMING_VERSION)
"""Files that the pipeline writes."""


def check(root: Path) -> None:
    """Verify that DVC can use a workspace and that its files can be written.

    Raises:
        InputError: the folder is not a DVC project, is no git repository although DVC expects one, or cannot be
            written.
    """
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import SCMError

    if not (root / ".dvc").is_dir():
        raise InputError(f"{root}: is not the project, which has the folder .dvc; run this in the project's folder")
    check_writable(root)
    try:
        with Repo(str(root)) as repo:
            repo.scm  # noqa: B018 (a property, whose access raises)
    except SCMError as error:
        raise InputError(f"{root}: {NO_GIT}; {NO_GIT_REMEDY}") from error
    except NotDvcRepoError as error:
        raise InputError(f"{root}: {one_line(error)}; run this in the project's folder") from error


def check_writable(root: Path) -> None:
    """Raise InputError if a folder or file that the pipeline writes is read-only.

    Permission bits do not tell: a file system may be mounted read-only, and the superuser ignores them.
    """
    for folder in (root / name for name in FOLDERS):
        if folder.is_dir():
            try:
                tempfile.TemporaryFile(dir=folder).close()
            except OSError as error:
                raise InputError(f"{folder}: {one_line(error)}; {_remedy(root)}") from error
    for file in (root / name for name in FILES):
        if file.exists() and not os.access(file, os.W_OK):
            raise InputError(f"{file}: the file is read-only; {_remedy(root)}")


def _remedy(root: Path) -> str:
    return f"make {root} writable, or copy the project to a folder of your own"


if __name__ == "__main__":
    try:
        check(Path.cwd())
    except InputError as error:
        sys.exit(f"error: {error}")
