"""The one place that runs DVC: the pipeline's stages in order, and one stage in a process group of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from dvc.utils.serialize import dump_yaml, load_yaml

from splitpose.files import atomic_file

GRACE = 5.0
"""Seconds that a stage has to end when it is asked to, before it is told to."""


class StageError(Exception):
    """A stage failed; says which one and why, in the stage's own words."""


def stages(root: Path) -> list[str]:
    """Names of all stages of dvc.yaml ("download", "evaluate@final", ...), each after those it needs."""
    from dvc.repo import Repo  # takes a second

    with Repo(str(root)) as repo:
        index = repo.index
        needs = {stage.name: [needed.name for needed in index.graph[stage]] for stage in index.stages}
    return list(TopologicalSorter(needs).static_order())


def run_stage(
    root: Path, name: str, log: Callable[[str], None], timeout: float | None = None, pull: bool = False
) -> None:
    """Bring one stage up to date, taking its inputs as they are; every line of its output goes to `log`.

    Waits where another DVC command holds the repository, at most `timeout` seconds with the stage's own time. With
    `pull`, results that the run cache knows are taken from the remote. Raises StageError when the stage fails or
    takes longer.
    """
    words = ["--wait-for-lock", "repro", "--single-item", *(["--pull"] if pull else []), name]
    _run(root, name, words, log, timeout)


def has_remote(root: Path) -> bool:
    """Whether the project has a default remote to share its results."""
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        return bool(repo.config["core"].get("remote"))


def push(root: Path, log: Callable[[str], None], timeout: float | None = None) -> None:
    """Copy what the remote lacks to it: outputs, and which inputs they came from. Raises StageError."""
    _run(root, "dvc push", ["--wait-for-lock", "push", "--run-cache"], log, timeout)


def fetch(root: Path, log: Callable[[str], None]) -> None:
    """Learn from the remote what was made of which inputs, in any clone. Raises StageError."""
    _run(root, "dvc fetch", ["--wait-for-lock", "fetch", "--run-cache"], log, None)


def entries(root: Path, names: list[str]) -> dict[str, Any]:
    """What dvc.lock says of the stages."""
    lock = load_yaml(str(root / "dvc.lock"))["stages"]
    return {name: lock[name] for name in names}


def import_lock_entries(root: Path, shared: dict[str, Any], names: list[str], log: Callable[[str], None]) -> None:
    """Put entries of another clone's dvc.lock into this one's, and outputs that the stages need in their places.

    Raises StageError where the remote does not have them.
    """
    from dvc.repo import Repo

    path = root / "dvc.lock"
    stages = load_yaml(str(path))["stages"] if path.is_file() else {}
    with atomic_file(path) as beside:
        dump_yaml(beside, {"schema": "2.0", "stages": stages | shared})
    with Repo(str(root)) as repo:
        needed = {dep.def_path for stage in repo.index.stages if stage.name in names for dep in stage.deps}
    outs = {out["path"] for entry in shared.values() for out in entry["outs"]}
    wanted = [out for out in sorted(outs) if any(Path(dep).is_relative_to(out) for dep in needed)]
    _run(root, "dvc pull", ["--wait-for-lock", "pull", "--run-cache", "--force", *wanted], log, None)


def _run(root: Path, name: str, words: list[str], log: Callable[[str], None], timeout: float | None) -> None:
    """Run a DVC command in a process group of its own.

    Nothing that it started outlives it, whatever ends it: an error, a signal that raises, a cancelled flow, the
    timeout.
    """
    folder = Path(sys.executable).parent  # so that `python` in the stages' commands is this one
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", *words],
        cwd=root,
        env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    last: deque[str] = deque(maxlen=20)
    late = threading.Event()

    def end_it() -> None:
        late.set()
        _end(process)

    # Not Prefect's own timeout: outside the main thread it cannot interrupt somebody who waits for a line.
    clock = threading.Timer(timeout or threading.TIMEOUT_MAX, end_it)
    clock.daemon = True
    clock.start()
    try:
        for line in process.stdout or []:
            if line.strip():
                last.append(line.rstrip())
                log(last[-1])
        process.wait()
    finally:
        clock.cancel()
        _end(process)
    if late.is_set():
        raise StageError(f"{name}: stopped, for it took longer than {timeout:g} s")
    if process.returncode != 0:
        raise StageError(f"{name}: {_reason(name, list(last))}")


def _end(process: "subprocess.Popen[str]") -> None:
    """End the whole group: an interrupt lets a stage clear up, the rest is for those that do not listen."""
    try:
        for request in (signal.SIGINT, signal.SIGTERM):
            deadline = time.monotonic() + GRACE
            _signal(process, request)
            while _signal(process, 0) and time.monotonic() < deadline:
                process.poll()  # takes note of its end, or it would stay in the group
                time.sleep(0.05)
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: "subprocess.Popen[str]", number: int) -> bool:
    """Send a signal to the group (0: none); whether anybody is in it."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def _reason(name: str, lines: list[str]) -> str:
    """The line that says why: DVC's own where it did not come to run the command, else the command's."""
    dvc = [line for line in lines if line.startswith("ERROR: ")]
    if dvc and "failed to run: " not in dvc[-1]:
        return dvc[-1].removeprefix(f"ERROR: failed to reproduce '{name}': ")
    own = [line for line in lines if line not in dvc]
    clear = [line for line in own if line.startswith("error: ")]
    return (clear or own or ["ended without a word"])[-1].removeprefix("error: ")
