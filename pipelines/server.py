"""The Prefect server that `splitpose schedule` starts, on loopback and with authentication."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import requests
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_SERVER_API_AUTH_STRING,
    get_current_settings,
    temporary_settings,
)

from splitpose.errors import InputError, one_line
from splitpose.files import atomic_file

PREFECT = [sys.executable, "-m", "prefect"]
AUTH_FILE = "auth_string"
"""Name of the file in Prefect's home folder that contains `user:password`."""
STARTUP_TIMEOUT = 60.0
"""Seconds within which a server must respond."""
SHUTDOWN_TIMEOUT = 60.0
"""Seconds within which a server, or a worker with its run, must end before it is killed."""


@contextmanager
def running_server(port: int) -> Iterator[None]:
    """Run a Prefect server on loopback; this process, and those that it starts, use it and are authenticated.

    Raises:
        InputError: a proxy of the environment is invalid, the port is in use, the password file is invalid or
            the server does not start.
    """
    check_proxies()
    url = f"http://127.0.0.1:{port}/api"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"port {port} of 127.0.0.1 is in use; choose another --port") from error
    secret = auth_string()
    command = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with running_process(command, {**os.environ, "PREFECT_SERVER_API_AUTH_STRING": secret}) as server:
        deadline = time.monotonic() + STARTUP_TIMEOUT
        while not is_healthy(url):
            if server.poll() is not None or time.monotonic() > deadline:
                raise InputError("the Prefect server did not start; see its last lines above")
            time.sleep(0.2)
        os.environ |= {
            "PREFECT_API_URL": url,
            "PREFECT_API_AUTH_STRING": secret,
        }  # for the processes that it starts
        # Prefect has read the environment already.
        with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: secret}):
            yield


def auth_string() -> str:
    """Return the `user:password` of the server, which is created at the first call.

    It is the setting PREFECT_SERVER_API_AUTH_STRING or, without it, the content of a file in Prefect's home folder
    that only its owner can read.

    Raises:
        InputError: other users can read the file, or it does not contain `user:password`.
    """
    if setting := PREFECT_SERVER_API_AUTH_STRING.value():
        return str(setting)
    path = _auth_file()
    if not path.exists():
        _write_secret(path, f"splitpose:{secrets.token_urlsafe(24)}\n")
    if path.stat().st_mode & 0o077:
        raise InputError(f"{path}: other users can read this password; delete the file, and a new one is created")
    secret = path.read_text().strip()
    user, _, password = secret.partition(":")
    if not user or not password or secret.split() != [secret]:
        raise InputError(f"{path}: does not contain user:password; delete the file, and a new one is created")
    return secret


def auth_string_source() -> str:
    """Return where an operator finds the `user:password` of the server."""
    if PREFECT_SERVER_API_AUTH_STRING.value():
        return "PREFECT_SERVER_API_AUTH_STRING"
    return f"the content of {os.path.relpath(_auth_file())}"


def _auth_file() -> Path:
    return get_current_settings().home / AUTH_FILE


def _write_secret(path: Path, text: str) -> None:
    """Write a file that other users can read at no time."""
    with atomic_file(path) as temporary:
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        temporary.write_text(text)


def check_proxies() -> None:
    """Raise InputError unless Prefect's client, which reads them all, can use the proxies of the environment."""
    try:
        httpx.Client().close()
    except (ValueError, httpx.InvalidURL) as error:
        raise InputError(
            f"HTTP_PROXY, HTTPS_PROXY or ALL_PROXY: {one_line(error)}; correct or unset the variable"
        ) from error


@contextmanager
def authentication_required() -> Iterator[None]:
    """Report in one line that the server refuses this process because of its authentication.

    Raises:
        InputError: the server has answered that it requires a (or another) user and password.
    """
    try:
        yield
    except PrefectHTTPStatusError as error:
        if error.response.status_code != requests.codes.unauthorized:
            raise
        message = (
            "PREFECT_API_URL: the server requires authentication; set PREFECT_API_AUTH_STRING to its user:password"
        )
        raise InputError(message) from error


def is_healthy(url: str) -> bool:
    """Return whether the Prefect API at `url` answers."""
    try:
        return requests.get(f"{url}/health", timeout=1).ok
    except requests.RequestException:
        return False


@contextmanager
def running_process(command: list[str], env: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
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
