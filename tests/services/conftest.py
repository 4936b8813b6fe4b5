"""The services that several machines share, all on loopback: PostgreSQL, S3, MLflow and Prefect."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from support.servers import BUCKET, Server, free_port, s3_client

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="session")
def password() -> str:
    return secrets.token_hex(8)


@pytest.fixture(scope="session")
def postgres(password: str) -> Iterator[str]:
    """Return host:port of a PostgreSQL server with the user postgres and the databases mlflow and prefect."""
    if not DEBIAN:
        pytest.skip("PostgreSQL is missing: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="postgres"))
    secret = folder / "password"
    secret.write_text(password)
    # PostgreSQL refuses to run as root.
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if as_postgres:
        for path in (folder, secret):
            shutil.chown(path, "postgres", "postgres")
    data, port = folder / "data", free_port()
    initdb = [DEBIAN[-1] / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}"]
    subprocess.run([*as_postgres, *initdb, "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    server = subprocess.Popen(
        [*as_postgres, DEBIAN[-1] / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-F"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        _create_databases(port, password)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder)


def _create_databases(port: int, password: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", password=password)
            break
        except psycopg2.OperationalError:
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.1)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("create database mlflow")
        cursor.execute("create database prefect")
    connection.close()


@pytest.fixture(scope="session")
def s3(password: str) -> Iterator[dict[str, str]]:
    """Return the environment of clients of an S3 server that has the bucket."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = Server(command, f"{url}/moto-api/", {})
    environment = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "user",
        "AWS_SECRET_ACCESS_KEY": password,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        s3_client(environment).create_bucket(Bucket=BUCKET)
        yield environment
    finally:
        server.kill()


@pytest.fixture(scope="session")
def mlflow(postgres: str, s3: dict[str, str], password: str) -> Iterator[str]:
    """Return the address of an MLflow server with runs in PostgreSQL and artifacts in S3."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    command += ["--artifacts-destination", f"s3://{BUCKET}/mlflow"]
    settings = {
        "MLFLOW_BACKEND_STORE_URI": f"postgresql+psycopg2://postgres:{password}@{postgres}/mlflow",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    server = Server(command, f"http://127.0.0.1:{port}/health", s3 | settings)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()


@pytest.fixture(scope="session")
def prefect(postgres: str, password: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the API of a Prefect server with runs in PostgreSQL and the password.

    It has the settings that docs/security.md recommends (`pipelines` sets all but the password).
    """
    port = free_port()
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    settings = {
        "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://postgres:{password}@{postgres}/prefect",
        "PREFECT_SERVER_API_AUTH_STRING": f"splitpose:{password}",
    }
    server = Server(command, f"http://127.0.0.1:{port}/api/health", settings)
    try:
        yield f"http://127.0.0.1:{port}/api"
    finally:
        server.kill()
