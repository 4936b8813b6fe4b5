"""Headless Chromium without a network, for pages that must work offline."""

import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="requires Debian's chromium")


def rendered_page(page: Path, profile: Path) -> str:
    """Return the page's DOM as HTML after its scripts have run; every host name is unknown to the browser.

    Args:
        page: the HTML file.
        profile: an empty folder for the browser's files.
    """
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--virtual-time-budget=5000",
        f"--user-data-dir={profile}",
        "--dump-dom",
        page.as_uri(),
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
