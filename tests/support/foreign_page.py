"""A web page of another origin, opened in Chromium, that tries to use a server on loopback."""

import json
import re
import shutil
import subprocess
import threading
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

PAGE = """<!doctype html><pre id="result">unfinished</pre><script>
const attempts = %s;
const results = {};
async function attempt(name, url, options) {
  if (options.untyped) options = { ...options, body: new Blob([options.body]) };
  try {
    const response = await fetch(url, options);
    results[name] = { type: response.type, status: response.status, text: await response.text() };
  } catch (error) {
    results[name] = { error: error.name };
  }
}
Promise.all(attempts.map((arguments) => attempt(...arguments))).then(
  () => { document.getElementById("result").textContent = JSON.stringify(results); });
</script>"""


def open_foreign_page(
    attempts: dict[str, tuple[str, dict[str, Any]]], host: str = "127.0.0.1"
) -> dict[str, dict[str, Any]]:
    """Open a page of another origin that calls `fetch(url, options)` for each attempt, and return what it receives.

    The option `untyped` sends the body without a content type. A result has the response's type, status and text as
    the page sees them, or the name of the error. The browser takes the page's `host` for 127.0.0.1. Skips the test
    if Chromium is missing.
    """
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("Chromium is missing (Debian: apt install chromium)")
    page = PAGE % json.dumps([[name, *attempt] for name, attempt in attempts.items()])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"]
        command += [
            "--dump-dom",
            f"--host-resolver-rules=MAP {host} 127.0.0.1",
            f"http://{host}:{server.server_port}/",
        ]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    finally:
        server.shutdown()
        server.server_close()
    match = re.search(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL)
    assert match, dom
    results: dict[str, dict[str, Any]] = json.loads(unescape(match[1]))
    return results
