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
    return rendered_address(page.as_uri(), profile)


def rendered_address(address: str, profile: Path, *, host: str = "", seconds: int = 5) -> str:
    """Return the DOM of the page at an address as HTML after its scripts have run; 127.0.0.1 is the only host.

    Args:
        address: address of the page.
        profile: an empty folder for the browser's files.
        host: a host name that the browser takes for 127.0.0.1, as after an attack on DNS.
        seconds: time that passes for the scripts; the browser does not wait for it, except for responses.
    """
    rules = [f"MAP {host} 127.0.0.1"] if host else []
    rules += ["MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"]
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--host-resolver-rules={', '.join(rules)}",
        f"--virtual-time-budget={1000 * seconds}",
        f"--user-data-dir={profile}",
        "--dump-dom",
        address,
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
