"""URLs with passwords and keys come from the environment and do not leave it."""

from pathlib import Path

import pytest
from support.flow_runner import FlowRunner
from support.servers import free_port, mlflow_server

pytestmark = pytest.mark.integration

SECRET = "hunter2hunter2"


@pytest.fixture
def keys() -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "user",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    }


def files_with_secret(*folders: Path) -> list[Path]:
    """Return the files that contain the secret."""
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and SECRET.encode() in path.read_bytes():
                found.append(path)
    return found


def test_no_log_artifact_or_database_contains_them(project, prefect, repository, tmp_path, keys):
    (project / "go.txt").touch()
    (tmp_path / "mlflow").mkdir()
    with mlflow_server(tmp_path / "mlflow") as mlflow:
        uri = mlflow.health.removesuffix("/health").replace("//", f"//user:{SECRET}@")
        status, output = FlowRunner(project, prefect, repository, MLFLOW_TRACKING_URI=uri, **keys).run()
    assert status == 0, output
    assert SECRET not in output
    assert files_with_secret(tmp_path, Path(prefect.environment["PREFECT_HOME"])) == []


def test_an_unreachable_server_is_reported_without_its_password(project, prefect, repository, tmp_path, keys):
    (project / "go.txt").touch()
    uri = f"http://user:{SECRET}@127.0.0.1:{free_port()}"
    status, output = FlowRunner(project, prefect, repository, MLFLOW_TRACKING_URI=uri, **keys).run()
    assert status == 1
    assert output.splitlines()[-1].startswith("error: MLflow: ")
    assert output.splitlines()[-1].endswith("check that the server is running, and try again")
    assert SECRET not in output
    assert files_with_secret(tmp_path, Path(prefect.environment["PREFECT_HOME"])) == []
