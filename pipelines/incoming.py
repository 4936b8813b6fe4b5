"""The version of data/incoming/: restored where the folder is missing, updated with new files, and never reduced.

Git tracks data/incoming.dvc, which names the version, and DVC's cache contains the files of every version. Two
versions are compared with the folder: the one of data/incoming.dvc, from which files may have been deleted, and the
one of git's HEAD, which a clone may not have pulled yet.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipelines import dvc
from splitpose import paths
from splitpose.data.incoming import ALLOW_FEWER, fewer_allowed
from splitpose.errors import InputError, some_of
from splitpose.tracking.git import git
from splitpose.yaml_files import parse_yaml

Log = Callable[[str], None]


def update(root: Path, allow_fewer: bool, log: Log) -> None:
    """Restore data/incoming/ if it is missing, verify that no file was lost, and record new files in its version.

    A project without data/incoming.dvc has no versions, so nothing happens.

    Args:
        root: the project.
        allow_fewer: accept lost files, also for the stages that run later in this process.
        log: called with every line of DVC's output.

    Raises:
        InputError: Files of an earlier version are missing; nothing has changed.
        StageError: DVC fails, for example because the remote does not have the files.
    """
    if allow_fewer:
        os.environ[ALLOW_FEWER] = "1"
    path = root / paths.INCOMING_VERSION
    if not path.is_file():
        return
    version = _version(path.read_text())
    if not (root / paths.INCOMING).exists():
        _restore(root, version, log)
    if not fewer_allowed():
        _check(root, version)
    dvc.add(root, str(paths.INCOMING), log)


def _version(text: str) -> dict[str, Any]:
    """Return the entry of the folder in the text of data/incoming.dvc: {"md5", "nfiles", ...}."""
    entry: dict[str, Any] = parse_yaml(text, str(paths.INCOMING_VERSION))["outs"][0]
    return entry


def _restore(root: Path, version: dict[str, Any], log: Log) -> None:
    if version["nfiles"] == 0:
        (root / paths.INCOMING).mkdir()
    else:
        dvc.restore(root, str(paths.INCOMING), log)


def _check(root: Path, version: dict[str, Any]) -> None:
    """Raise InputError if the folder lacks files of its recorded version or of HEAD's."""
    restore = f"`dvc pull {paths.INCOMING}`"
    _check_version(root, version, f"{paths.INCOMING_VERSION}", restore)
    committed = git(root, "show", f"HEAD:./{paths.INCOMING_VERSION}")
    if committed is not None and _version(committed)["md5"] != version["md5"]:
        restore = f"`git checkout {paths.INCOMING_VERSION}` and `dvc pull {paths.INCOMING}`"
        _check_version(root, _version(committed), f"git's {paths.INCOMING_VERSION}", restore)


def _check_version(root: Path, version: dict[str, Any], name: str, restore: str) -> None:
    if version["nfiles"] == 0 or dvc.folder_md5(root, str(paths.INCOMING_VERSION)) == version["md5"]:
        return
    files = dvc.cached_files(root, version["md5"])
    if files is None:
        raise InputError(
            f"{paths.INCOMING}: differs from the version in {name}, which is not in DVC's cache; restore it with "
            f"{restore}, or accept that people are missing with --allow-fewer"
        )
    if missing := sorted(files - set(_files(root / paths.INCOMING))):
        raise InputError(
            f"{paths.INCOMING}: {len(missing):,} of the {len(files):,} files in {name} are missing "
            f"({some_of(missing)}); restore them with {restore}, or accept the loss with --allow-fewer"
        )


def _files(folder: Path) -> Iterator[str]:
    """Yield the path of every file below `folder`, relative to it."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix()
