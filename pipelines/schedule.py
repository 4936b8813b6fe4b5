"""The deployments of prefect.yaml, served by this machine: Prefect server, worker and automations."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

from prefect.client.orchestration import get_client

from pipelines import alerts, work_pool
from pipelines.server import PREFECT, auth_string_source, authentication_required, running_process, running_server
from splitpose.errors import InputError

DEFAULT_PORT = 4200
DEFAULT_STUCK_AFTER_HOURS = 48.0
MIN_STUCK_AFTER = timedelta(seconds=10)
"""The shortest period that Prefect accepts for a proactive automation."""


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
    own_server = "PREFECT_API_URL" not in os.environ
    with running_server(port) if own_server else nullcontext():
        with authentication_required(), get_client(sync_client=True) as client:
            work_pool.set_up(client)
        _deploy(root)
        asyncio.run(alerts.set_up(os.environ.get("SPLITPOSE_WEBHOOK"), stuck_after))
        print(f"scheduled; runs are shown at {os.environ['PREFECT_API_URL'].removesuffix('/api')}", flush=True)
        if own_server:
            print(f"its password is {auth_string_source()}", flush=True)
        command = [*PREFECT, "worker", "start", "--pool", work_pool.POOL, "--limit", "1"]
        with running_process(command, worker_environment(root)) as worker:
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


def _deploy(root: Path) -> None:
    """Create or update all deployments of prefect.yaml."""
    command = [*PREFECT, "--no-prompt", "deploy", "--all"]
    # Each worker replaces {{ $SPLITPOSE_WORKSPACE }} by its own folder; if the variable were set here, all workers
    # would run in this one.
    env = {key: value for key, value in worker_environment(root).items() if key != "SPLITPOSE_WORKSPACE"}
    result = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    if result.returncode:
        output = (result.stderr or result.stdout).strip()
        raise InputError(f"prefect.yaml: could not be deployed: {output[-500:]}")
