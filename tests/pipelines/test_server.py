"""Who can use the Prefect server that `splitpose schedule` starts; with a real Chromium for pages and the UI."""

import http.server
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
import requests
from prefect.settings import PREFECT_HOME, PREFECT_SERVER_API_AUTH_STRING, temporary_settings
from support.scheduler import scheduler

from pipelines.server import auth_string, auth_string_source
from splitpose.errors import InputError

DRIVER = Path(__file__).with_name("prefect_ui.mjs")
PIPELINE = "stages:\n  wait:\n    cmd: sleep 600\n"
COMMANDS = [
    {"command": "touch executed"},
    {"env": {"PYTHONPATH": "/elsewhere"}},
    {"env.PYTHONPATH": "/elsewhere"},
    {"working_dir": "/"},
]


@pytest.fixture
def home(tmp_path):
    """Prefect's home folder."""
    with temporary_settings({PREFECT_HOME: tmp_path}):
        yield tmp_path


def test_the_password_is_created_once_and_readable_by_its_owner_only(home, monkeypatch):
    monkeypatch.chdir(home)
    secret = auth_string()
    (file,) = home.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() == secret
    user, password = secret.split(":")
    assert user == "splitpose" and len(password) == 32
    assert auth_string() == secret
    assert auth_string_source() == "the content of auth_string"


def test_a_password_of_the_environment_is_used_and_not_written(home):
    with temporary_settings({PREFECT_SERVER_API_AUTH_STRING: "me:mine"}):
        assert auth_string() == "me:mine"
        assert auth_string_source() == "PREFECT_SERVER_API_AUTH_STRING"
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("content", ["", "word", ":word", "user:", "user: word", "a:b\nc:d"])
def test_a_damaged_password_file_is_an_error(home, content):
    (home / "auth_string").touch(0o600)
    (home / "auth_string").write_text(content)
    with pytest.raises(InputError, match="auth_string: does not contain user:password; delete the file"):
        auth_string()


def test_a_password_file_that_others_can_read_is_an_error(home):
    (home / "auth_string").write_text("user:word")
    (home / "auth_string").chmod(0o640)
    with pytest.raises(InputError, match="auth_string: other users can read this password; delete the file"):
        auth_string()


@pytest.fixture(scope="module")
def scheduled(tmp_path_factory, repository):
    """A scheduled toy project."""
    with scheduler(tmp_path_factory.mktemp("scheduled"), repository, PIPELINE) as started:
        yield started


@pytest.fixture(scope="module")
def api(scheduled):
    return scheduled.api


@pytest.fixture(scope="module")
def manual(api):
    """The id of the deployment that the tests start."""
    return api.deployments()["manual"]["id"]


@pytest.fixture(scope="module")
def drive(scheduled, repository):
    """Return a function that runs a scenario of prefect_ui.mjs."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("Chromium is missing (Debian: apt install chromium)")
    if not shutil.which("npm"):
        pytest.skip("npm is missing (Debian: apt install npm)")
    tools = subprocess.run(["make", "web/node_modules/.made"], cwd=repository, capture_output=True, text=True)
    if tools.returncode:
        pytest.skip(f"npm could not install the page's tools: {tools.stdout}{tools.stderr}")

    def drive(scenario: str, **options: object) -> dict:
        given = json.dumps({"url": scheduled.url, **options})
        command = ["node", str(DRIVER), browser, scenario, given]
        completed = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert completed.returncode == 0, completed.stderr
        return json.loads(completed.stdout)

    return drive


@pytest.fixture
def foreign_page():
    """The address of a page of another origin."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *words):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.integration
def test_a_page_of_another_origin_can_neither_read_nor_start_a_run(drive, scheduled, api, manual, foreign_page):
    options = {
        "foreign": foreign_page,
        "api": api.url,
        "deployment": manual,
        "body": {"job_variables": COMMANDS[0]},
    }
    result = drive("foreignPage", **options)["result"]
    failed = "TypeError: Failed to fetch"
    assert result == {"read": failed, "json": failed, "simple": "opaque"}
    assert api.runs(manual) == []


@pytest.mark.integration
def test_without_the_password_or_csrf_token_a_run_is_rejected(api, manual, scheduled):
    url = f"{api.url}/deployments/{manual}/create_flow_run"
    auth = tuple(scheduled.auth_string.split(":"))
    tokens = {key: value for key, value in api.session.headers.items() if key.startswith("Prefect-Csrf")}
    assert requests.post(url, json={}, headers=tokens, timeout=10).status_code == 401
    assert requests.post(url, json={}, headers=tokens, auth=("splitpose", "guess"), timeout=10).status_code == 401
    assert requests.post(url, json={}, auth=auth, timeout=10).status_code == 403
    assert api.runs(manual) == []


@pytest.mark.integration
@pytest.mark.parametrize("variables", COMMANDS)
def test_job_variables_that_change_the_process_are_rejected(api, manual, variables):
    response = api.request("POST", f"deployments/{manual}/create_flow_run", job_variables=variables)
    assert response.status_code == 422
    assert "Additional properties are not allowed" in response.text
    assert api.runs(manual) == []


@pytest.mark.integration
def test_an_operator_logs_in_and_starts_a_run(drive, scheduled, api, manual):
    outcome = drive("startRun", password=scheduled.auth_string, deployment="manual")
    assert outcome == {"result": 201, "otherOrigins": []}
    (run,) = api.runs(manual)
    assert run["job_variables"] == {}


@pytest.mark.integration
def test_each_worker_runs_the_deployments_in_its_own_folder(api):
    step = "prefect.deployments.steps.set_working_directory"
    for deployment in api.deployments().values():
        assert deployment["pull_steps"] == [{step: {"directory": "{{ $SPLITPOSE_WORKSPACE }}"}}]


@pytest.mark.integration
def test_the_server_keeps_leases_in_files(api):
    settings = api.session.get(f"{api.url}/admin/settings", timeout=10).json()
    assert settings["server"]["concurrency"]["lease_storage"].endswith(".lease_storage.filesystem")


@pytest.mark.integration
def test_the_password_is_in_no_log_and_on_no_command_line(scheduled):
    assert scheduled.auth_string not in scheduled.log.read_text()
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert any("server start" in line for line in lines)
    assert not [line for line in lines if scheduled.auth_string in line]


@pytest.mark.integration
@pytest.mark.parametrize("command", ["reproduce", "schedule"])
def test_a_command_without_the_password_ends_with_one_line(scheduled, command):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    environment |= {"PREFECT_API_URL": f"{scheduled.url}/api", "PREFECT_HOME": str(scheduled.home.parent / "other")}
    completed = subprocess.run(
        [sys.executable, "-m", "splitpose", command],
        cwd=scheduled.root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert completed.returncode == 1
    assert completed.stderr.splitlines()[-1] == (
        "error: PREFECT_API_URL: the server requires authentication; "
        "set PREFECT_API_AUTH_STRING to its user:password"
    )
    assert "Traceback" not in completed.stderr
