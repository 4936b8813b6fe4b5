"""The static server of the built web page and its models."""

import hashlib
import json
import sys
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
"""Headers of every response.

Opener and embedder policy isolate the page's origin, which threads and a precise clock require. The resource policy
and `frame-ancestors`, which an HTML file cannot contain, keep other origins from including the files. The rest of
the page's Content-Security-Policy is in the HTML file, so that it applies on any host.
"""

LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}
"""Names of this machine. A request for another host comes from a foreign page whose name was rebound to it."""


@dataclass(frozen=True)
class ChampionFile:
    """The champion of the model registry, which the page marks."""

    sha256: str
    """The hash of its TFLite file."""
    description: str
    """One line, e.g. "version 2, promoted on 2026-11-22"."""


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


class LocalHandler(Handler):
    """Serves files only to requests whose Host header names this machine, whatever the port.

    Otherwise a foreign page could read them through DNS rebinding: its own name, resolved to 127.0.0.1.
    """

    def send_head(self) -> Any:
        """Send the header of a file, or reject the request."""
        try:
            host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        except ValueError:  # brackets that do not match
            host = None
        if host not in LOCAL_HOSTS:
            self.send_error(421, explain="Open the page at http://127.0.0.1 or http://localhost.")
            return None
        return super().send_head()


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


def publish_models(
    models: Path, page: Path, variants: Collection[str] | None = None, champion: ChampionFile | None = None
) -> list[dict[str, str]]:
    """Replace the page's folder of models by copies of `models`/<variant>/<precision>.tflite.

    The list of models, models/index.json, contains each file's URL with its hash, so that a browser never uses an
    outdated file from its cache. The entry of the champion's file has the key "champion".

    Args:
        models: folder with <variant>/<precision>.tflite files.
        page: folder of the page.
        variants: names of the variants to offer, None for all.
        champion: the champion, None if it is not known.

    Returns:
        The list of models.
    """
    paths = [
        path
        for folder in sorted(models.glob("*/"))
        if variants is None or folder.name in variants
        for precision in PRECISIONS
        if (path := folder / f"{precision}.tflite").is_file()
    ]
    with atomic_folder(page / "models") as out:
        entries = []
        for path in paths:
            content, variant = path.read_bytes(), path.parent.name
            (out / variant).mkdir(exist_ok=True)
            (out / variant / path.name).write_bytes(content)
            sha256 = hashlib.sha256(content).hexdigest()
            file = f"models/{variant}/{path.name}?{sha256[:16]}"
            entries.append({"variant": variant, "precision": path.stem, "file": file})
            if champion and sha256 == champion.sha256:
                entries[-1]["champion"] = champion.description
        (out / "index.json").write_text(json.dumps(entries, indent=2) + "\n")
    return entries


def create_server(page: Path, port: int) -> Server:
    """Create a server of the page on loopback.

    Args:
        page: folder of the page.
        port: port of the server; 0 selects a free one.

    Raises:
        InputError: the port cannot be used.
    """
    try:
        return Server(("127.0.0.1", port), partial(LocalHandler, directory=str(page)))
    except OSError as error:
        raise InputError(f"port {port}: cannot be used ({error.strerror}); choose another port") from error
