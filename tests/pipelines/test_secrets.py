"""Addresses with passwords and keys come from the environment, and stay there."""

from pathlib import Path

import pytest
from support.night import Night
from support.servers import free_port, mlflow_server

SECRET = "hunter2hunter2"


@pytest.fixture
def keys() -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    }


def holders(*folders: Path) -> list[Path]:
    """Files that hold the secret."""
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and SECRET.encode() in path.read_bytes():
                found.append(path)
    return found


def test_no_log_artifact_or_database_has_them(project, prefect, repository, tmp_path, keys):
    (project / "go.txt").touch()
    (tmp_path / "mlflow").mkdir()
    with mlflow_server(tmp_path / "mlflow") as mlflow:
        uri = mlflow.health.removesuffix("/health").replace("//", f"//somebody:{SECRET}@")
        status, words = Night(project, prefect, repository, MLFLOW_TRACKING_URI=uri, **keys).run()
    assert status == 0, words
    assert SECRET not in words
    assert holders(tmp_path, Path(prefect.environment["PREFECT_HOME"])) == []


def test_an_address_that_does_not_answer_is_told_without_its_password(project, prefect, repository, tmp_path, keys):
    (project / "go.txt").touch()
    uri = f"http://somebody:{SECRET}@127.0.0.1:{free_port()}"
    status, words = Night(project, prefect, repository, MLFLOW_TRACKING_URI=uri, **keys).run()
    assert status == 1
    assert words.splitlines()[-1].startswith("error: MLflow: ")
    assert words.splitlines()[-1].endswith("see that it runs, and try again")
    assert SECRET not in words
    assert holders(tmp_path, Path(prefect.environment["PREFECT_HOME"])) == []
