"""The deployments of prefect.yaml, served by this machine: Prefect server, worker and automations."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import requests
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings import PREFECT_API_URL, temporary_settings

from pipelines import alerts
from splitpose.errors import InputError

POOL = "splitpose"
PREFECT = [sys.executable, "-m", "prefect"]
DEFAULT_PORT = 4200
DEFAULT_STUCK_AFTER_HOURS = 48.0
MIN_STUCK_AFTER = timedelta(seconds=10)
"""The shortest period that Prefect accepts for a proactive automation."""
STARTUP_TIMEOUT = 60.0
"""Seconds within which a server must respond."""
SHUTDOWN_TIMEOUT = 60.0
"""Seconds within which a server, or a worker with its run, must end before it is killed."""


def schedule(root: Path, port: int = DEFAULT_PORT, stuck_after_hours: float = DEFAULT_STUCK_AFTER_HOURS) -> None:
    """Serve the project's deployments until SIGTERM or Ctrl-C; then stop the active run, the worker and the server.

    The server that PREFECT_API_URL names is used; without it, a server on loopback runs as long as this function.
    Alerts are posted to the URL in SPLITPOSE_WEBHOOK, if it is set.

    Args:
        root: the project's folder, in which the runs work.
        port: port of the server on loopback.
        stuck_after_hours: duration after which a run counts as stuck.

    Raises:
        InputError: an argument is invalid, the server does not start or prefect.yaml cannot be deployed.
        SystemExit: 128 plus the number of the signal that ended it.
    """
    stuck_after = timedelta(hours=stuck_after_hours)
    if stuck_after < MIN_STUCK_AFTER:
        raise InputError(f"--stuck-after: Prefect requires at least {MIN_STUCK_AFTER.total_seconds():g} seconds")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    with _server(port):
        with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists):
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        _deploy(root)
        asyncio.run(alerts.set_up(os.environ.get("SPLITPOSE_WEBHOOK"), stuck_after))
        print(f"scheduled; runs are shown at {os.environ['PREFECT_API_URL'].removesuffix('/api')}", flush=True)
        command = [*PREFECT, "worker", "start", "--pool", POOL, "--limit", "1"]
        with _running(command, worker_environment(root)) as worker:
            worker.wait()
            raise InputError(f"the worker ended with status {worker.returncode}; see its last lines above")


def worker_environment(root: Path) -> dict[str, str]:
    """Return the environment of a worker whose runs work in `root`."""
    folder = Path(sys.executable).parent
    return {
        **os.environ,
        "SPLITPOSE_WORKSPACE": str(root),
        "PYTHONPATH": str(root),
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
    }


@contextmanager
def _server(port: int) -> Iterator[None]:
    """Run a Prefect server and set PREFECT_API_URL, unless it is set already."""
    if "PREFECT_API_URL" in os.environ:
        yield
        return
    url = f"http://127.0.0.1:{port}/api"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"port {port} of 127.0.0.1 is in use; choose another --port") from error
    command = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with _running(command, dict(os.environ)) as server:
        deadline = time.monotonic() + STARTUP_TIMEOUT
        while not _is_healthy(url):
            if server.poll() is not None or time.monotonic() > deadline:
                raise InputError("the Prefect server did not start; see its last lines above")
            time.sleep(0.2)
        os.environ["PREFECT_API_URL"] = url  # for the processes that this one starts
        with temporary_settings({PREFECT_API_URL: url}):  # Prefect has read the environment already
            yield


def _is_healthy(url: str) -> bool:
    """Return whether the Prefect API at `url` answers."""
    try:
        return requests.get(f"{url}/health", timeout=1).ok
    except requests.RequestException:
        return False


def _deploy(root: Path) -> None:
    """Create or update all deployments of prefect.yaml."""
    command = [*PREFECT, "--no-prompt", "deploy", "--all"]
    result = subprocess.run(
        command, cwd=root, env=worker_environment(root), capture_output=True, text=True, check=False
    )
    if result.returncode:
        output = (result.stderr or result.stdout).strip()
        raise InputError(f"prefect.yaml: could not be deployed: {output[-500:]}")


@contextmanager
def _running(command: list[str], env: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a process in a session of its own, so that a terminal's Ctrl-C does not end it before its dependents."""
    process = subprocess.Popen(command, env=env, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(SHUTDOWN_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
