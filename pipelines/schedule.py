"""The deployments of prefect.yaml, served by this machine: Prefect server, worker and monitor."""

import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path

from prefect.client.orchestration import get_client

from pipelines import automations, work_pool, workspace_check
from pipelines.monitor import Monitor
from pipelines.server import PREFECT, auth_string_source, authentication_required, running_process, running_server
from pipelines.worker import supervise
from splitpose import webhook
from splitpose.errors import InputError

DEFAULT_PORT = 4200
DEFAULT_STUCK_AFTER_HOURS = 48.0


def schedule(root: Path, port: int = DEFAULT_PORT, stuck_after_hours: float = DEFAULT_STUCK_AFTER_HOURS) -> None:
    """Serve the project's deployments until SIGTERM or Ctrl-C; then stop the active run, the worker and the server.

    The server that PREFECT_API_URL names is used; without it, a server on loopback runs as long as this function.
    Alerts are posted to the URL in SPLITPOSE_WEBHOOK, if it is set.

    Args:
        root: the project's folder, in which the runs work.
        port: port of the server on loopback.
        stuck_after_hours: duration after which a run counts as stuck.

    Raises:
        InputError: an argument is invalid, the project cannot be used, the server does not start or prefect.yaml
            cannot be deployed.
        SystemExit: 128 plus the number of the signal that ended it.
    """
    stuck_after = timedelta(hours=stuck_after_hours)
    if stuck_after <= timedelta():
        raise InputError("--stuck-after: must be positive")
    webhook.check()
    workspace_check.check(root)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    own_server = "PREFECT_API_URL" not in os.environ
    with running_server(port) if own_server else nullcontext():
        with authentication_required(), get_client(sync_client=True) as client:
            work_pool.set_up(client)
            automations.remove(client)
        _deploy(root)
        print(f"scheduled; runs are shown at {os.environ['PREFECT_API_URL'].removesuffix('/api')}", flush=True)
        if own_server:
            print(f"its password is {auth_string_source()}", flush=True)
        command = [*PREFECT, "worker", "start", "--pool", work_pool.POOL, "--limit", "1"]
        log = partial(print, flush=True)
        with get_client(sync_client=True) as client:
            monitor = Monitor(client, stuck_after, log)
            supervise(lambda: running_process(command, worker_environment(root)), monitor, log, own_server)


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
