"""The publication of models and the server of the page; test_page.py tests the page itself."""

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
from support.processes import restore_sigint, wait_for

from splitpose.errors import InputError
from splitpose.promotion.decision import Decision
from splitpose.promotion.decision_log import append
from splitpose.web import static_server

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path):
    """A fake page."""
    (tmp_path / "page" / "wasm").mkdir(parents=True)
    for name in ("index.html", "app.js", "style.css", "icon.svg", "wasm/litert.wasm"):
        (tmp_path / "page" / name).write_text(name)
    return tmp_path / "page"


@pytest.fixture
def models(tmp_path):
    for name in ("split/int8", "split/float32", "final/int8"):
        path = tmp_path / "models" / f"{name}.tflite"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "models" / "split" / "final.weights.h5").touch()
    return tmp_path / "models"


def entries(folder):
    return json.loads((folder / "models" / "index.json").read_text())


def test_models_are_published_with_their_hash(models, folder):
    assert len(static_server.publish_models(models, folder)) == 3
    names = [(entry["variant"], entry["precision"]) for entry in entries(folder)]
    assert names == [("final", "int8"), ("split", "float32"), ("split", "int8")]
    file, digest = entries(folder)[0]["file"].split("?")
    assert file == "models/final/int8.tflite"
    assert (folder / file).read_text() == "final/int8"
    assert len(digest) == 16


def test_a_changed_model_has_a_new_url_and_a_removed_model_none(models, folder):
    static_server.publish_models(models, folder)
    before = entries(folder)
    (models / "final" / "int8.tflite").write_text("better")
    (models / "split" / "int8.tflite").unlink()
    assert len(static_server.publish_models(models, folder)) == 2
    after = entries(folder)
    assert after[0]["file"] != before[0]["file"]
    assert after[1] == before[1]
    assert not (folder / "models" / "split" / "int8.tflite").exists()


def test_without_models_the_list_is_empty(tmp_path, folder):
    assert static_server.publish_models(tmp_path / "nowhere", folder) == []
    assert entries(folder) == []


def test_only_the_given_variants_are_published(models, folder):
    assert [entry["variant"] for entry in static_server.publish_models(models, folder, {"split", "new"})] == [
        "split",
        "split",
    ]
    assert not (folder / "models" / "final").exists()


def test_the_champions_file_is_marked(models, folder):
    sha256 = hashlib.sha256(b"split/int8").hexdigest()
    static_server.publish_models(models, folder, champion=static_server.ChampionFile(sha256, "version 2"))
    assert [entry.get("champion") for entry in entries(folder)] == [None, None, "version 2"]


@pytest.fixture
def port(models, folder):
    """The port of a server of the page with models."""
    static_server.publish_models(models, folder)
    with static_server.create_server(folder, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def request(port, method, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers)
    return connection.getresponse()


@pytest.mark.parametrize(
    ("path", "status", "content_type"),
    [
        ("/", 200, "text/html; charset=utf-8"),
        ("/app.js", 200, "text/javascript"),
        ("/style.css", 200, "text/css"),
        ("/icon.svg", 200, "image/svg+xml"),
        ("/wasm/litert.wasm", 200, "application/wasm"),
        ("/models/split/int8.tflite?0123", 200, "application/octet-stream"),
        ("/wasm/", 404, None),
        ("/../models/split/final.weights.h5", 404, None),
    ],
)
def test_files_are_served_with_their_type_and_folders_are_not(port, path, status, content_type):
    response = request(port, "GET", path)
    assert response.status == status
    if content_type:
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Cross-Origin-Embedder-Policy"] == "require-corp"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9", "localhost:8000", "[::1]:8000", "LocalHost"])
def test_the_page_is_served_under_every_name_of_this_machine(port, host):
    assert request(port, "GET", "/models/index.json", Host=host).status == 200


@pytest.mark.parametrize("host", ["attacker.example:8000", "localhost.attacker.example", "192.168.1.5", "[", ""])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_name_that_was_rebound_to_this_machine_is_rejected(port, method, host):
    response = request(port, method, "/models/index.json", Host=host)
    assert response.status == 421
    assert b"split" not in response.read()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(port, folder, method):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    response = request(port, method, "/models/split/int8.tflite", Origin="http://attacker.example")
    assert response.status == 501
    assert "Access-Control-Allow-Origin" not in response.headers
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_port_in_use_is_reported(folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(InputError, match=r"^port \d+: cannot be used \(.*\); choose another port$"):
            static_server.create_server(folder, other.getsockname()[1])


def test_the_demo_offers_the_projects_variants_and_ends_with_ctrl_c(models, folder, tmp_path):
    code = (
        "import sys; from pathlib import Path;"
        "from splitpose.cli import main; from splitpose.web import static_server;"
        "static_server.DIST = Path(sys.argv.pop(1)); sys.exit(main(['demo', *sys.argv[1:]]))"
    )
    (tmp_path / "params.yaml").write_text("profile: sample\nvariants: {split: {}}\n")
    champion = {"number": "2", "sha256": hashlib.sha256(b"split/int8").hexdigest()}
    decision = Decision("20261122T235959.1Z", "sample", "promote", "automatic", False, champion, None, [], "better")
    append(tmp_path / "reports" / "decisions.jsonl", decision)
    log = tmp_path / "log"
    words = [sys.executable, "-c", code, str(folder), "--models", str(models), "--port", "0"]
    with log.open("w") as file:
        process = subprocess.Popen(
            words, stdout=file, stderr=subprocess.STDOUT, env=os.environ, preexec_fn=restore_sigint
        )
    try:
        wait_for(lambda: "open http://127.0.0.1:" in log.read_text(), "it did not start")
        assert "2 model(s) are on the page" in log.read_text()
        offered = [(entry["variant"], entry.get("champion")) for entry in entries(folder)]
        assert offered == [("split", None), ("split", "version 2, promoted on 2026-11-22")]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in log.read_text()
