"""`splitpose ui`: MLflow's UI on loopback, which opens on the comparison of the present runs."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import requests

from splitpose.errors import InputError
from splitpose.tracking.database import DATABASE
from splitpose.tracking.presentation import COMPARISON_VIEW

HOST = "127.0.0.1"
DEFAULT_PORT = 5000
STARTUP_TIMEOUT = 120.0
"""Seconds within which the server must respond."""
SHUTDOWN_TIMEOUT = 10.0
"""Seconds within which the server must end before it is killed."""

RUN_LINE = re.compile(r"^\S+: MLflow run (\w+)$", re.MULTILINE)
"""A line of `splitpose sync`."""

SERVER_SETTINGS = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # it would start ten more processes, for features of LLM tracing
    "MLFLOW_DISABLE_TELEMETRY": "true",  # of the server, and of the page that it serves
    "DO_NOT_TRACK": "true",
    "PYTHONWARNINGS": "ignore",
}


def serve(root: Path, port: int = DEFAULT_PORT, open_browser: bool = True) -> None:
    """Synchronise the runs, and serve MLflow's UI on loopback until SIGTERM or Ctrl-C.

    The address that compares the present runs is printed, and opened in the browser. If the runs cannot be
    synchronised, the reason is printed, and the address is that of all experiments.

    Args:
        root: the project.
        port: port of the server.
        open_browser: whether to open the browser.

    Raises:
        InputError: the port is in use, MLFLOW_TRACKING_URI names a server, or the server does not start or ends.
        SystemExit: 143 after SIGTERM.
    """
    store = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root.resolve()}/{DATABASE}"
    if store.startswith("http"):
        raise InputError("MLFLOW_TRACKING_URI: names a server, which has a UI of its own; open its address instead")
    _require_free(port)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        # Two processes that create the same database at the same time fail; otherwise the runs are synchronised
        # while the server starts.
        is_new = store.startswith("sqlite:") and not (root / DATABASE).is_file()
        output = _sync(root) if is_new else ""
        server = stack.enter_context(_server(root, store, port))
        output = output if is_new else _sync(root)
        _wait_until_healthy(server, port)
        run = RUN_LINE.search(output)
        address = link(f"http://{HOST}:{port}", run[1] if run else None)
        print(f"MLflow's comparison of the present runs: {address}\nstop the server with Ctrl-C", flush=True)
        if open_browser and _has_browser():
            webbrowser.open(address)
        raise InputError(f"the MLflow server ended with status {server.wait()}; see its last lines above")


def _sync(root: Path) -> str:
    """Synchronise the runs in a process of their own, whose memory is freed then, and return its output."""
    command = [sys.executable, "-m", "splitpose", "sync"]
    return subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True).stdout


def server_command(port: int) -> list[str]:
    """Return the command of a server with one worker, which only pages of its own address may use.

    MLflow's default also accepts host names such as 10.example.com, which an attacker's DNS may resolve to
    127.0.0.1. Other origins on loopback cannot be excluded (mlflow.server.security_utils of MLflow 3.17).
    """
    addresses = [f"{host}:{port}" for host in (HOST, "localhost")]
    return [
        sys.executable, "-m", "mlflow", "server",
        "--host", HOST,
        "--port", str(port),
        "--workers", "1",
        "--allowed-hosts", ",".join(addresses),
        "--cors-allowed-origins", ",".join(f"http://{address}" for address in addresses),
        "--x-frame-options", "DENY",
        "--uvicorn-opts", "--log-level warning",
    ]  # fmt: skip


def link(server: str, run: str | None) -> str:
    """Return the address of the comparison in the experiment of a run; without a run, that of all experiments.

    Args:
        server: address of the server, which must respond.
        run: id of one of the present runs.
    """
    if run is None:
        return f"{server}/#/experiments"
    response = requests.get(f"{server}/api/2.0/mlflow/runs/get", {"run_id": run}, timeout=30)
    response.raise_for_status()
    experiment = response.json()["run"]["info"]["experiment_id"]
    query = {"compareRunsMode": "CHART", "viewStateShareKey": COMPARISON_VIEW}
    return f"{server}/#/experiments/{experiment}/runs?{urlencode(query)}"


@contextmanager
def _server(root: Path, store: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the server in a session of its own, so that it is stopped once and completely."""
    # The store's address may contain a password, so it is not an argument.
    environment = {**os.environ, **SERVER_SETTINGS, "MLFLOW_BACKEND_STORE_URI": store}
    process = subprocess.Popen(
        server_command(port),
        cwd=root,
        env=environment,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(SHUTDOWN_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _require_free(port: int) -> None:
    """Raise InputError if the port is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise InputError(f"port {port} of {HOST} is in use; choose another --port") from error


def _wait_until_healthy(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the server responds. Raises InputError if it ends or takes too long."""
    deadline = time.monotonic() + STARTUP_TIMEOUT
    while True:
        with suppress(requests.RequestException):
            if requests.get(f"http://{HOST}:{port}/health", timeout=1).ok:
                return
        if server.poll() is not None or time.monotonic() > deadline:
            raise InputError("the MLflow server did not start; see its last lines above")
        time.sleep(0.1)


def _has_browser() -> bool:
    """Return whether a browser opens in a window: one in the terminal would block it."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
