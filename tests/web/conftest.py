"""The built page with small models, and a real Chromium that opens it."""

import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from splitpose.web import static_server

REPOSITORY = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("browser_driver.mjs")
TIMEOUT = 60
"""Maximum duration of a scenario, s."""

CHAMPION = "version 2, promoted on 2026-11-22"

Drive = Callable[..., Any]


@pytest.fixture(scope="session")
def built() -> Path:
    """Build the page if its sources changed, and return its folder."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("npm is missing (Debian: apt install npm)")
    tools = subprocess.run(["make", "web/node_modules/.made"], cwd=REPOSITORY, capture_output=True, text=True)
    if tools.returncode:
        pytest.skip(f"npm could not install the page's tools: {tools.stdout}{tools.stderr}")
    build = subprocess.run(["make", "web"], cwd=REPOSITORY, capture_output=True, text=True)
    assert build.returncode == 0, build.stdout + build.stderr
    return static_server.page_folder()


@pytest.fixture(scope="session")
def chromium() -> str:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("Chromium is missing (Debian: apt install chromium)")
    return path


@pytest.fixture(scope="session")
def drive(built: Path, chromium: str) -> Drive:
    """Return a function that runs a scenario of browser_driver.mjs.

    It returns the scenario's result, or with `whole` also the messages and requests of the page.
    """

    def drive(scenario: str, url: str, whole: bool = False, **options: object) -> Any:
        command = ["node", str(DRIVER), chromium, scenario, json.dumps({"url": url, **options})]
        completed = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
        assert completed.returncode == 0, completed.stderr
        output = json.loads(completed.stdout)
        if whole:
            return output
        assert output["console"] == []
        assert output["otherOrigins"] == []
        return output["result"]

    return drive


@contextmanager
def serve(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve a folder as the demo does, and yield its address."""
    server = static_server.create_server(folder, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def site(built: Path, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the page with the models; "final float32" is the champion."""
    folder = tmp_path_factory.mktemp("site") / "page"
    shutil.copytree(built, folder, copy_function=os.link)
    sha256 = hashlib.sha256((models / "final" / "float32.tflite").read_bytes()).hexdigest()
    static_server.publish_models(models, folder, champion=static_server.ChampionFile(sha256, CHAMPION))
    return folder


@pytest.fixture(scope="session")
def url(site: Path) -> Iterator[str]:
    with serve(site) as address:
        yield address


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with dots, which detects the dots of `web_models.image`, and small untrained variants."""
    from support import web_models

    folder = tmp_path_factory.mktemp("models")
    web_models.write_models(folder)
    return folder
