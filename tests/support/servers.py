"""Real servers on loopback, which are stopped by their process ids."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import boto3
import requests

import pipelines  # noqa: F401 (sets the variables of the Prefect servers that the project starts)

BUCKET = "splitpose"
"""The bucket of the S3 server."""


def free_port() -> int:
    """Return a port that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server process that can be killed and restarted on the same port with the same files."""

    def __init__(self, command: list[str], health: str, environment: dict[str, str]):
        self.command, self.health, self.environment = command, health, environment
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            env=os.environ | self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while not self.is_healthy():
            assert self.process.poll() is None, f"{self.command} ended"
            assert time.monotonic() < deadline, f"{self.command} does not answer"
            time.sleep(0.1)

    def is_healthy(self) -> bool:
        try:
            return requests.get(self.health, timeout=1).ok
        except requests.RequestException:
            return False

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        self.process.wait()


@contextmanager
def prefect_server(home: Path) -> Iterator[Server]:
    """Run a Prefect server; its API is `server.health` without /health."""
    port = free_port()
    settings = {"PREFECT_HOME": str(home)}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    server = Server(command, f"http://127.0.0.1:{port}/api/health", settings)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def mlflow_server(folder: Path) -> Iterator[Server]:
    """Run an MLflow server on SQLite; its address is `server.health` without /health."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", (folder / "artifacts").as_uri()]
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    server = Server(command, f"http://127.0.0.1:{port}/health", settings)
    try:
        yield server
    finally:
        server.kill()


def s3_client(environment: dict[str, str]) -> "boto3.client":
    """Return a client of the S3 server in the environment."""
    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
