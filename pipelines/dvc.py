"""DVC for the flows: the order of the stages, and DVC's commands, each in a process group of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from dvc.utils.serialize import dump_yaml, load_yaml

from splitpose.errors import InputError
from splitpose.files import atomic_file

GRACE_PERIOD = 5.0
"""Seconds granted to a command's processes to end after SIGINT, and again after SIGTERM, before they are killed."""


NO_GIT = "is not a git repository"
"""The end of DVC's message for a project without git that is not configured for it."""
NO_GIT_REMEDY = "run `git init` there, or `dvc config --local core.no_scm true` to use the project without git"


class StageError(InputError):
    """A stage or another DVC command failed; the message names it and quotes its reason."""


def stages(root: Path, variant: str | None = None) -> list[str]:
    """Return the names of stages of dvc.yaml ("download", "evaluate@final", ...) in topological order.

    Args:
        root: the project.
        variant: return only the stages of this variant and those that they depend on; None for all stages.
    """
    needs = _needs(root)
    return _with_upstream(needs, [name for name in needs if variant is None or is_stage_of(name, variant)])


def upstream(root: Path, names: Collection[str]) -> list[str]:
    """Return the names of the other stages that some stages depend on, in topological order."""
    return [name for name in _with_upstream(_needs(root), names) if name not in names]


def _with_upstream(needs: Mapping[str, Collection[str]], names: Iterable[str]) -> list[str]:
    """Return stages and all stages that they depend on, in topological order.

    Args:
        needs: the stages that each stage directly depends on.
        names: the stages.
    """
    order, selected = list(TopologicalSorter(needs).static_order()), set(names)
    for name in reversed(order):
        if name in selected:
            selected.update(needs[name])
    return [name for name in order if name in selected]


def is_stage_of(name: str, variant: str) -> bool:
    """Return whether a stage is one of a variant, as evaluate@final, or of its repeats, as fine_tune@final-2."""
    return re.fullmatch(rf"{re.escape(variant)}(-\d+)?", name.partition("@")[2]) is not None


def _needs(root: Path) -> dict[str, list[str]]:
    """Return the names of the stages that each stage of dvc.yaml directly depends on."""
    from dvc.repo import Repo  # takes a second to import
    from dvc.stage import PipelineStage

    with Repo(str(root)) as repo:
        index = repo.index
        return {
            stage.name: [needed.name for needed in index.graph[stage] if isinstance(needed, PipelineStage)]
            for stage in index.stages
            if isinstance(stage, PipelineStage)  # the others are .dvc files
        }


def run_stage(
    root: Path,
    name: str,
    log: Callable[[str], None],
    timeout: float | None = None,
    pull: bool = False,
    force: bool = False,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Bring one stage up to date without running the stages that it depends on.

    The command waits while another DVC command has locked the repository; the timeout includes the waiting.

    Args:
        root: the project.
        name: the stage.
        log: called with every line of the stage's output.
        timeout: maximum duration in seconds.
        pull: if the run cache contains the stage's results, pull them from the remote instead of running it.
        force: run the stage even if it is up to date.
        variables: environment variables of the stage.

    Raises:
        StageError: the stage fails or takes longer than `timeout`.
    """
    options = [option for option, is_set in (("--pull", pull), ("--force", force)) if is_set]
    _run(root, name, ["--wait-for-lock", "repro", "--single-item", *options, name], log, timeout, variables)


def folder_md5(root: Path, dvc_file: str) -> str:
    """Return DVC's hash of the present contents of the folder that a .dvc file tracks."""
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        (stage,) = repo.stage.collect(str(root / dvc_file))
        return str(stage.outs[0].get_hash().value)


def cached_files(root: Path, md5: str) -> set[str] | None:
    """Return the paths of the files in a version of a folder, relative to it; None if it is not in the cache."""
    from dvc.repo import Repo
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree

    with Repo(str(root)) as repo:
        try:
            tree = Tree.load(repo.cache.local, HashInfo("md5", md5))
        except FileNotFoundError:
            return None
        return {"/".join(key) for key, _, _ in tree}


def add(root: Path, target: str, log: Callable[[str], None]) -> None:
    """Record the contents of a folder in its .dvc file, and copy new files to the cache. Raises StageError."""
    _run(root, f"dvc add {target}", ["--wait-for-lock", "add", "--quiet", target], log, None)


def restore(root: Path, target: str, log: Callable[[str], None]) -> None:
    """Restore a missing folder from the remote, or from the cache if there is no remote. Raises StageError."""
    command = "pull" if has_remote(root) else "checkout"
    _run(root, f"dvc {command} {target}", ["--wait-for-lock", command, target], log, None)


def has_remote(root: Path) -> bool:
    """Return whether the project has a default DVC remote."""
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        return bool(repo.config["core"].get("remote"))


def push(root: Path, log: Callable[[str], None], timeout: float | None = None) -> None:
    """Push outputs and the run cache to the remote. Raises StageError."""
    _run(root, "dvc push", ["--wait-for-lock", "push", "--run-cache"], log, timeout)


def fetch(root: Path, log: Callable[[str], None]) -> None:
    """Fetch outputs and the run cache, which other clones may have pushed. Raises StageError."""
    _run(root, "dvc fetch", ["--wait-for-lock", "fetch", "--run-cache"], log, None)


def pull(root: Path, log: Callable[[str], None]) -> None:
    """Pull all outputs that dvc.lock and the .dvc files name; only from the cache if there is no remote.

    Raises:
        StageError: an output is not available, or would replace a file that is not in the cache.
    """
    command = "pull" if has_remote(root) else "checkout"
    _run(root, f"dvc {command}", ["--wait-for-lock", command], log, None)


def collect_garbage(root: Path, since: str, dry_run: bool) -> int:
    """Delete files of the local cache that neither the workspace nor recent versions use; the remote is unchanged.

    Args:
        root: the project.
        since: date (YYYY-MM-DD); files that a commit since then uses are kept, and those of every branch and tag.
        dry_run: delete nothing.

    Returns:
        The number of deleted files; of those that would be deleted for a dry run.

    Raises:
        StageError: a DVC file is invalid.
    """
    versions = ["--all-branches", "--all-tags", "--all-experiments", "--date", since]
    options = [*(versions if (root / ".git").exists() else []), "--dry" if dry_run else "--force"]
    lines: list[str] = []
    _run(root, "dvc gc", ["--wait-for-lock", "gc", "--workspace", *options], lines.append, None)
    # The rest is not shown: in a dry run every file's name, and a warning for every new output in every commit.
    counts = [re.match(r"Removed (\d+) objects", line) for line in lines]
    return sum(int(count[1]) for count in counts if count)


def import_lock_entries(root: Path, shared: dict[str, Any], names: list[str], log: Callable[[str], None]) -> None:
    """Add entries of another clone's dvc.lock to this one's, and pull the outputs that some stages depend on.

    Args:
        root: the project.
        shared: the entries, by the name of the stage.
        names: the stages whose dependencies are pulled.
        log: called with every line of the command's output.

    Raises:
        StageError: the remote does not have the outputs.
    """
    from dvc.repo import Repo

    path = root / "dvc.lock"
    present = load_yaml(str(path))["stages"] if path.is_file() else {}
    with atomic_file(path) as temporary:
        dump_yaml(temporary, {"schema": "2.0", "stages": present | shared})
    with Repo(str(root)) as repo:
        needed = {dep.def_path for stage in repo.index.stages if stage.name in names for dep in stage.deps}
    outs = sorted({out["path"] for entry in shared.values() for out in entry["outs"]})
    targets = [out for out in outs if any(Path(dep).is_relative_to(out) for dep in needed)]
    _run(root, "dvc pull", ["--wait-for-lock", "pull", "--run-cache", "--force", *targets], log, None)


def _run(
    root: Path,
    name: str,
    words: list[str],
    log: Callable[[str], None],
    timeout: float | None,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Run a DVC command in a process group of its own.

    No process of the group outlives the call, whatever ends it: an error, a signal that raises, a cancelled flow or
    the timeout.
    """
    folder = Path(sys.executable).parent  # so that `python` in the stages' commands is this interpreter
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", *words],
        cwd=root,
        env={
            **os.environ,
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            **(variables or {}),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    last_lines: deque[str] = deque(maxlen=20)
    timed_out = threading.Event()

    def stop() -> None:
        timed_out.set()
        _terminate_group(process)

    # Prefect's own timeout cannot interrupt a thread other than the main one while it waits for output.
    timer = threading.Timer(timeout or threading.TIMEOUT_MAX, stop)
    timer.daemon = True
    timer.start()
    try:
        for line in process.stdout or []:
            if line.strip():
                last_lines.append(line.rstrip())
                log(last_lines[-1])
        process.wait()
    finally:
        timer.cancel()
        _terminate_group(process)
    if timed_out.is_set():
        raise StageError(f"{name}: stopped because it took longer than {timeout:g} s")
    if process.returncode != 0:
        raise StageError(f"{name}: {_failure_reason(name, list(last_lines))}")


def _terminate_group(process: "subprocess.Popen[str]") -> None:
    """End the process group: SIGINT lets a stage clean up, SIGTERM and SIGKILL end processes that ignore it."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            deadline = time.monotonic() + GRACE_PERIOD
            _signal_group(process, number)
            while _signal_group(process, 0) and time.monotonic() < deadline:
                process.poll()  # reaps the process, which would stay in the group as a zombie otherwise
                time.sleep(0.05)
    finally:
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _signal_group(process: "subprocess.Popen[str]", number: int) -> bool:
    """Send a signal (0: none) to the process group; return whether the group still has a process."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def _failure_reason(name: str, lines: list[str]) -> str:
    """Return the line that explains a failure: DVC's own if the command was not started, else the command's."""
    dvc_errors = [line for line in lines if line.startswith("ERROR: ")]
    if dvc_errors and "failed to run: " not in dvc_errors[-1]:
        reason = dvc_errors[-1].removeprefix(f"ERROR: failed to reproduce '{name}': ").removeprefix("ERROR: ")
        return f"{reason}; {NO_GIT_REMEDY}" if reason.endswith(NO_GIT) else reason
    output = [line for line in lines if line not in dvc_errors]
    errors = [line for line in output if line.startswith("error: ")]
    return (errors or output or ["ended without output"])[-1].removeprefix("error: ")
