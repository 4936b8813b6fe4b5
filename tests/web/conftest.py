"""A built page with small models beside it, and a real Chromium that opens it."""

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
DRIVER = Path(__file__).with_name("drive.mjs")
SECONDS = 60
"""That a scenario may take at most."""

Drive = Callable[..., Any]


@pytest.fixture(scope="session")
def built() -> Path:
    """The page's folder, built anew where its sources changed."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("no npm here (Debian: apt install npm)")
    tools = subprocess.run(["make", "web/node_modules/.made"], cwd=REPOSITORY, capture_output=True, text=True)
    if tools.returncode:
        pytest.skip(f"npm could not fetch the page's tools: {tools.stdout}{tools.stderr}")
    done = subprocess.run(["make", "web"], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return static_server.page_folder()


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium here (Debian: apt install chromium)")
    return found


@pytest.fixture(scope="session")
def drive(built: Path, chromium: str) -> Drive:
    """Runs a scenario of drive.mjs: its answer, or with `whole` also what console and network saw."""

    def drive(scenario: str, url: str, whole: bool = False, **options: object) -> Any:
        words = ["node", str(DRIVER), chromium, scenario, json.dumps({"url": url, **options})]
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        if whole:
            return seen
        assert seen["console"] == []
        assert seen["elsewhere"] == []
        return seen["answer"]

    return drive


@contextmanager
def serving(folder: Path, port: int = 0) -> Iterator[str]:
    """The address of a folder that is served as `make demo` serves it."""
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
    """A copy of the page with the models beside it."""
    folder = tmp_path_factory.mktemp("site") / "page"
    shutil.copytree(built, folder, copy_function=os.link)
    static_server.publish_models(models, folder)
    return folder


@pytest.fixture(scope="session")
def url(site: Path) -> Iterator[str]:
    with serving(site) as address:
        yield address


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dots: finds the dots of `made.picture`; final and baseline: the variants, small and untrained."""
    from web import made

    folder = tmp_path_factory.mktemp("models")
    made.write_models(folder)
    return folder
