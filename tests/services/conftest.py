"""The services of more than one machine, all on loopback: PostgreSQL, S3, MLflow and Prefect on them."""

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
    """host:port of a PostgreSQL server whose user is postgres; it has the databases mlflow and prefect."""
    if not DEBIAN:
        pytest.skip("PostgreSQL is missing: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="postgres"))
    secret = folder / "password"
    secret.write_text(password)
    # It refuses to run as root.
    other = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if other:
        for path in (folder, secret):
            shutil.chown(path, "postgres", "postgres")
    data, port = folder / "data", free_port()
    initdb = [DEBIAN[-1] / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}"]
    subprocess.run([*other, *initdb, "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    server = subprocess.Popen(
        [*other, DEBIAN[-1] / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-F"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        _make_databases(port, password)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder)


def _make_databases(port: int, password: str) -> None:
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
    """The environment that leads S3's clients to a server with the bucket."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = Server(command, f"{url}/moto-api/", {})
    environment = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "somebody",
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
    """Address of an MLflow server with its runs in PostgreSQL and its artifacts in S3."""
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
    """Address of a Prefect server's API, with its runs in PostgreSQL."""
    port = free_port()
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    settings = {
        "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://postgres:{password}@{postgres}/prefect",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    server = Server(command, f"http://127.0.0.1:{port}/api/health", settings)
    try:
        yield f"http://127.0.0.1:{port}/api"
    finally:
        server.kill()
