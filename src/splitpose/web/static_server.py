"""The page of web/ as it is built: where it lies, the models beside it, serving it on this machine."""

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
"""Where `make web` builds it."""

HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
"""The last two make the page isolated, without which browsers give it no threads and a coarse clock."""


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, its files alone."""

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
    """s that a client may stay silent in the middle of a request."""

    def end_headers(self) -> None:
        """See HEADERS."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        """A folder's names are nobody's business."""
        self.send_error(404)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


class Server(ThreadingHTTPServer):
    """Says nothing of clients that go away in the middle."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """See the class; other errors are shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def built() -> Path:
    """The page's folder. Raises InputError where it has not been built."""
    if not (DIST / "index.html").is_file():
        raise InputError(f"{DIST}: the page is not built yet; run `make web` (it needs Node.js and npm)")
    return DIST


def publish(models: Path, page: Path) -> int:
    """Copy `models`/<variant>/<precision>.tflite beside a page, in place of those before; how many there are.

    The page's list of them, models/index.json, names each with its content's hash, so that a browser never takes
    an older one from its cache.
    """
    found = [
        path
        for folder in sorted(models.glob("*/"))
        for precision in PRECISIONS
        if (path := folder / f"{precision}.tflite").is_file()
    ]
    with atomic_folder(page / "models") as out:
        entries = []
        for path in found:
            content, variant = path.read_bytes(), path.parent.name
            (out / variant).mkdir(exist_ok=True)
            (out / variant / path.name).write_bytes(content)
            file = f"models/{variant}/{path.name}?{hashlib.sha256(content).hexdigest()[:16]}"
            entries.append({"variant": variant, "precision": path.stem, "file": file})
        (out / "index.json").write_text(json.dumps(entries, indent=2) + "\n")
    return len(found)


def server(page: Path, port: int) -> Server:
    """A server of the page on loopback; 0 takes a free port. Raises InputError where the port is taken."""
    try:
        return Server(("127.0.0.1", port), partial(Handler, directory=str(page)))
    except OSError as error:
        raise InputError(
            f"port {port} cannot be used ({error.strerror}); take another: `make demo PORT=8001`"
        ) from error
