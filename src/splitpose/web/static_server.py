"""The static server of the built web page and its models."""

import hashlib
import json
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from splitpose.errors import InputError
from splitpose.files import atomic_folder
from splitpose.settings import PRECISIONS

DIST = Path(__file__).parents[3] / "web" / "dist"
"""Folder that the page is built into."""

HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
"""Headers of every response; the last two isolate the page's origin, which threads and a precise clock require."""


class Handler(SimpleHTTPRequestHandler):
    """Serves the files of a folder, but no directory listings."""

    extensions_map = {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript",
        ".css": "text/css",
        ".svg": "image/svg+xml",
        ".jpg": "image/jpeg",
        ".json": "application/json",
        ".wasm": "application/wasm",
        "": "application/octet-stream",
    }
    timeout = 30
    """Maximum time without data from a client in the middle of a request, s."""

    def end_headers(self) -> None:
        """Send HEADERS with every response."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        """Reject requests for a directory listing."""
        self.send_error(404)

    def log_message(self, format: str, *args: Any) -> None:
        """Log no requests."""


class Server(ThreadingHTTPServer):
    """HTTP server that does not report clients that disconnect."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report errors other than lost connections."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def page_folder() -> Path:
    """Return the folder of the built page. Raises InputError if it has not been built."""
    if not (DIST / "index.html").is_file():
        raise InputError(f"{DIST}: the page has not been built; run `npm ci` and `npm run build` in {DIST.parent}")
    return DIST


def publish_models(models: Path, page: Path) -> int:
    """Replace the page's folder of models by copies of `models`/<variant>/<precision>.tflite.

    The list of models, models/index.json, contains each file's URL with its hash, so that a browser never uses an
    outdated file from its cache.

    Returns:
        The number of models.
    """
    paths = [
        path
        for folder in sorted(models.glob("*/"))
        for precision in PRECISIONS
        if (path := folder / f"{precision}.tflite").is_file()
    ]
    with atomic_folder(page / "models") as out:
        entries = []
        for path in paths:
            content, variant = path.read_bytes(), path.parent.name
            (out / variant).mkdir(exist_ok=True)
            (out / variant / path.name).write_bytes(content)
            file = f"models/{variant}/{path.name}?{hashlib.sha256(content).hexdigest()[:16]}"
            entries.append({"variant": variant, "precision": path.stem, "file": file})
        (out / "index.json").write_text(json.dumps(entries, indent=2) + "\n")
    return len(paths)


def create_server(page: Path, port: int) -> Server:
    """Create a server of the page on loopback.

    Args:
        page: folder of the page.
        port: port of the server; 0 selects a free one.

    Raises:
        InputError: the port cannot be used.
    """
    try:
        return Server(("127.0.0.1", port), partial(Handler, directory=str(page)))
    except OSError as error:
        raise InputError(f"port {port}: cannot be used ({error.strerror}); choose another port") from error
