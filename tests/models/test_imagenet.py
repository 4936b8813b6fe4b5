"""Download of ImageNet weights from an HTTP server on the loopback interface."""

import hashlib
import logging
import threading
import time
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.mobilenet_weights import (
    WIDTH,
    assert_same_backbone,
    build,
    mobilenet,
    write_keras2_h5,
)

from splitpose.errors import InputError
from splitpose.models import imagenet
from splitpose.models.weights import load_backbone_weights


def assert_rejected(message: str, width: float = WIDTH) -> None:
    """Check that the download is rejected with one line."""
    with pytest.raises(InputError, match=message) as raised:
        imagenet.fetch_imagenet_weights(width)
    assert "\n" not in str(raised.value)


def test_width_without_imagenet_weights_is_reported():
    assert_rejected(
        r"imagenet: weights exist for the widths 0.25, 0.5, 0.75, 1.0, not for model.width_multiplier 0.3",
        width=0.3,
    )


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requested.append(self.path)
        self.server.respond(self)

    def send(self, content, status=200, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.requested = True, []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(imagenet, "BASE_URL", f"http://127.0.0.1:{server.server_port}/mobilenet")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    yield server
    server.shutdown()
    server.server_close()


def test_weights_are_downloaded_once_into_the_cache_of_keras(server, tmp_path, caplog):
    donor = mobilenet()
    content = write_keras2_h5(donor, tmp_path / "donor.h5").read_bytes()
    md5 = b64encode(hashlib.md5(content).digest()).decode()
    server.respond = lambda handler: handler.send(content, x_goog_hash=f"crc32c=AAAAAA==, md5={md5}")
    with caplog.at_level(logging.INFO, "splitpose"):
        for _ in range(2):
            model = build()
            load_backbone_weights(model, imagenet.fetch_imagenet_weights(WIDTH), WIDTH)
            assert_same_backbone(model, donor)
    assert server.requested == ["/mobilenet/mobilenet_2_5_224_tf_no_top.h5"]
    cached = tmp_path / "keras" / "models" / "mobilenet_2_5_224_tf_no_top.h5"
    assert cached.read_bytes() == content
    download, *loaded = caplog.messages
    assert download == f"backbone weights: downloading {imagenet.BASE_URL}/mobilenet_2_5_224_tf_no_top.h5"
    assert loaded == [f"backbone weights: {cached}, sha256 {hashlib.sha256(content).hexdigest()}"] * 2


def stall(handler):
    handler.send(b"x" * 100, length=1000)
    handler.wfile.flush()
    time.sleep(1)


@pytest.mark.parametrize(
    ("respond", "reason"),
    [
        (lambda handler: handler.send(b"gone", 404), r"the server responds with 404 Not Found"),
        (lambda handler: handler.send(b"x" * 100, length=1000), r".*100 bytes read, 900 more expected.*"),
        (
            lambda handler: handler.send(b"x" * 100, x_goog_hash="md5=AAAA"),
            r"the MD5 checksum differs from the server's",
        ),
        (stall, r".*timed out"),
    ],
)
def test_failed_download_is_reported_and_leaves_no_file(server, monkeypatch, tmp_path, respond, reason):
    monkeypatch.setattr(imagenet, "TIMEOUT_S", 0.2)
    server.respond = respond
    assert_rejected(
        rf"model.backbone_weights: imagenet: http://\S+: {reason}.*; download it on another machine and set",
    )
    assert list((tmp_path / "keras" / "models").iterdir()) == []


def test_missing_network_is_reported_at_once_with_the_remedy(server, tmp_path):
    server.shutdown()
    server.server_close()
    start = time.monotonic()
    assert_rejected(r": Connection refused; download it on another machine")
    assert time.monotonic() - start < 5
    assert list((tmp_path / "keras" / "models").iterdir()) == []


def test_folder_that_cannot_be_written_is_reported(server, tmp_path):
    (tmp_path / "keras").write_text("a file where the folder should be")
    assert_rejected(r"model.backbone_weights: imagenet: .*(Not a directory|File exists); download it")


def test_incomplete_download_has_another_name(server, tmp_path):
    """So the remains of an interrupted download are never taken for the file, as Keras does."""
    folder, content, seen = tmp_path / "keras" / "models", bytes(300_000), []

    def respond(handler):
        handler.send(content[:200_000], length=len(content))
        deadline = time.monotonic() + 10
        while not any(path.stat().st_size for path in folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        seen.extend(path.name for path in folder.iterdir() if path.stat().st_size)
        handler.wfile.write(content[200_000:])

    server.respond = respond
    assert imagenet.fetch_imagenet_weights(WIDTH).read_bytes() == content
    assert seen == [".part-mobilenet_2_5_224_tf_no_top.h5"]
    assert [path.name for path in folder.iterdir()] == ["mobilenet_2_5_224_tf_no_top.h5"]
