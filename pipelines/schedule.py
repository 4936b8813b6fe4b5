"""`python -m pipelines.schedule`: the deployments of prefect.yaml, run by this machine until it is told to stop.

Without PREFECT_API_URL a server comes and goes with it, on loopback. With it, the server that it names is used.
"""

import argparse
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

from pipelines import alerts
from splitpose.errors import InputError

POOL = "splitpose"
PREFECT = [sys.executable, "-m", "prefect"]
STARTING = 60.0
"""Seconds that a server has to answer."""
SHORTEST = timedelta(seconds=10)
"""Time that an automation of Prefect waits for something to happen."""
STOPPING = 60.0
"""Seconds that a worker has to end its run."""


def schedule(root: Path, port: int, webhook: str | None, stuck_after: timedelta) -> None:
    """Serve the project's deployments until a signal comes; then stop the run at work, the worker and the server.

    Args:
        root: the project's folder, in which the runs work.
        port: of the own server, where PREFECT_API_URL names none.
        webhook: address that is told of failed, late and stuck runs, None for none.
        stuck_after: time after which a run counts as stuck.

    Raises InputError where the server does not come up or prefect.yaml cannot be deployed.
    """
    with _server(port):
        with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists):
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        _deploy(root)
        asyncio.run(alerts.set_up(webhook, stuck_after))
        print(f"scheduled; runs are shown at {os.environ['PREFECT_API_URL'].removesuffix('/api')}", flush=True)
        with _running([*PREFECT, "worker", "start", "--pool", POOL, "--limit", "1"], environment(root)) as worker:
            worker.wait()
            raise InputError(f"the worker ended with status {worker.returncode}; its last lines are above")


def environment(root: Path) -> dict[str, str]:
    """Of a worker whose runs work in `root`."""
    folder = Path(sys.executable).parent
    return {
        **os.environ,
        "SPLITPOSE_WORKSPACE": str(root),
        "PYTHONPATH": str(root),
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
    }


@contextmanager
def _server(port: int) -> Iterator[None]:
    if "PREFECT_API_URL" in os.environ:
        yield
        return
    url = f"http://127.0.0.1:{port}/api"
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"port {port} of 127.0.0.1 is taken; choose another with --port") from error
    command = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with _running(command, dict(os.environ)) as server:
        deadline = time.monotonic() + STARTING
        while not _answers(url):
            if server.poll() is not None or time.monotonic() > deadline:
                raise InputError("Prefect's server did not come up; its last lines are above")
            time.sleep(0.2)
        os.environ["PREFECT_API_URL"] = url
        yield


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=1).ok
    except requests.RequestException:
        return False


def _deploy(root: Path) -> None:
    command = [*PREFECT, "--no-prompt", "deploy", "--all"]
    done = subprocess.run(command, cwd=root, env=environment(root), capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"prefect.yaml was not deployed: {(done.stderr or done.stdout).strip()[-500:]}")


@contextmanager
def _running(command: list[str], env: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """A process of its own session, so that a terminal's Ctrl-C reaches it in the right order: through us."""
    process = subprocess.Popen(command, env=env, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def main() -> None:
    """From the command line; a signal ends it in good order."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        epilog="SPLITPOSE_WEBHOOK: address that a line of JSON is posted to when a run fails, comes late or hangs.",
    )
    parser.add_argument("--port", type=int, default=4200, help="of the own server, on 127.0.0.1 (default: 4200)")
    parser.add_argument(
        "--stuck-after",
        type=float,
        default=48.0,
        metavar="HOURS",
        help="a run hangs that takes longer (default: 48)",
    )
    options = parser.parse_args()
    stuck_after = timedelta(hours=options.stuck_after)
    if stuck_after < SHORTEST:
        parser.error(f"--stuck-after: Prefect takes no less than {SHORTEST.total_seconds():g} seconds")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    webhook = os.environ.get("SPLITPOSE_WEBHOOK")
    try:
        schedule(Path.cwd(), options.port, webhook, stuck_after)
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
