"""Downloads from real servers on loopback whose responses the tests script."""

import errno
import hashlib
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path

import pytest
from urllib3.util import Retry

from splitpose.data import download
from splitpose.errors import InputError

SIZE = 400_000
CONTENT = download.ZIP_MAGIC + random.Random(7).randbytes(SIZE - 4)
HTML = b"<!DOCTYPE html><title>Sign in</title>"


class Server(ThreadingHTTPServer):
    """Sends scripted responses in turn, repeating the last one; records requested ranges and bytes sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/FLIC.zip"
        self.host = f"127.0.0.1:{self.server_port}"
        self.ranges, self.sent, self.stopped = [], 0, threading.Event()

    def respond(self, *responses):
        self.responses = chain(responses, repeat(responses[-1]))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.ranges.append(self.headers["Range"])
        next(self.server.responses)(self)

    def head(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def body(self, content):
        self.server.sent += len(content)  # before the client can see the last byte
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def send_archive(handler, content=CONTENT, until=SIZE):
    """Respond with the requested range; the connection ends after byte `until`."""
    start = int((handler.headers["Range"] or "bytes=0-")[len("bytes=") : -1])
    if start:
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.head(206, Content_Length=len(content) - start, Content_Range=span)
    else:
        handler.head(200, Content_Length=len(content), Content_Type="application/octet-stream")
    handler.body(content[start:until])


def disconnects(after):
    return lambda handler: send_archive(handler, until=after)


def stalls(after):
    def respond(handler):
        send_archive(handler, until=after)
        handler.wfile.flush()
        handler.server.stopped.wait(10)

    return respond


def no_ranges(until=SIZE):
    def respond(handler):
        handler.head(200, Content_Length=SIZE)
        handler.body(CONTENT[:until])

    return respond


def status(code, **headers):
    return lambda handler: handler.head(code, Content_Length=0, **headers)


def sends(content, **headers):
    """Respond with status 200 and `content`, without its length unless it is in `headers`."""

    def respond(handler):
        handler.head(200, **headers)
        handler.body(content)

    return respond


@pytest.fixture
def servers(monkeypatch):
    """Two servers as the known sources of FLIC, whose archive is CONTENT."""
    monkeypatch.setenv("NO_PROXY", "*")
    pair = [Server(), Server()]
    monkeypatch.setitem(download.ARCHIVES, "FLIC", archive(*(server.url for server in pair)))
    for server in pair:
        server.respond(send_archive)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield pair
    for server in pair:
        server.stopped.set()
        server.shutdown()
        server.server_close()


def archive(*urls):
    return download.Archive("FLIC.zip", SIZE, hashlib.sha256(CONTENT).hexdigest(), urls)


def fetch(folder, location=None, timeout=2.0, tries=3):
    return download.download_archive(
        "FLIC", location, folder, timeout=timeout, retry=Retry(total=tries - 1, backoff_factor=0.01)
    )


def download_error(folder, match, **options):
    """Return the one-line error that a download ends with."""
    with pytest.raises(InputError, match=match) as raised:
        fetch(folder, **options)
    assert "\n" not in str(raised.value)
    assert not (folder / "FLIC.zip").exists()
    return str(raised.value)


def assert_complete(path, folder):
    assert path == folder / "FLIC.zip"
    assert path.read_bytes() == CONTENT
    assert [file.name for file in folder.iterdir()] == ["FLIC.zip"]


def test_the_known_archives():
    flic, full = download.ARCHIVES["FLIC"], download.ARCHIVES["FLIC-full"]
    assert (flic.name, flic.size, flic.sha256[:8]) == ("FLIC.zip", 300257553, "778a4847")
    assert (full.name, full.size, full.sha256[:8]) == ("FLIC-full.zip", 1183926041, "2b186688")
    first, second, mirror = flic.urls
    assert first.startswith("https://drive.usercontent.google.com/download?")
    assert "id=0B4K3PZp8xXDJN0Fpb0piVjQ3Y3M" in first and "confirm=t" in first
    assert "0B4K3PZp8xXDJN0Fpb0piVjQ3Y3M" in second and "0B4K3PZp8xXDJd2VwblhhOVBfMDg" in full.urls[0]
    assert mirror == "http://vision.grasp.upenn.edu/video/FLIC.zip"


def test_an_archive_is_downloaded_once(servers, tmp_path):
    folder = tmp_path / "data" / "archives"
    assert_complete(fetch(folder), folder)
    assert_complete(fetch(folder), folder)
    assert servers[0].ranges == [None]
    assert servers[1].ranges == []


def test_interrupted_downloads_are_resumed(servers, tmp_path):
    servers[0].respond(disconnects(100_000), disconnects(250_000), send_archive)
    assert_complete(fetch(tmp_path), tmp_path)
    assert servers[0].ranges == [None, "bytes=100000-", "bytes=250000-"]
    assert servers[0].sent == SIZE


def test_tries_are_only_counted_without_progress(servers, tmp_path):
    servers[0].respond(*(disconnects(done) for done in range(50_000, SIZE, 50_000)), send_archive)
    assert_complete(fetch(tmp_path, tries=2), tmp_path)
    assert servers[0].sent == SIZE


def test_a_later_call_resumes_an_earlier_one(servers, tmp_path):
    servers[0].respond(disconnects(100_000))
    servers[1].respond(status(404))
    assert "the 100,000 bytes received so far are kept for the next run" in download_error(
        tmp_path, "not available from any source"
    )
    assert (tmp_path / "FLIC.zip.part").stat().st_size == 100_000
    servers[0].respond(send_archive)
    assert_complete(fetch(tmp_path), tmp_path)
    assert servers[0].ranges[-1] == "bytes=100000-"
    assert servers[0].sent == SIZE


def test_the_download_of_a_killed_process_is_resumed(servers, tmp_path):
    servers[0].respond(stalls(100_000))
    code = (
        "from pathlib import Path; from splitpose.data import download; import sys; "
        f"download.ARCHIVES['FLIC'] = download.Archive('FLIC.zip', {SIZE}, '', ({servers[0].url!r},)); "
        "download.download_archive('FLIC', None, Path(sys.argv[1]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.DEVNULL)
    part = tmp_path / "FLIC.zip.part"
    until = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert [file.name for file in tmp_path.iterdir()] == ["FLIC.zip.part"]
    kept = part.stat().st_size
    assert 0 < kept <= 100_000
    servers[0].respond(send_archive)
    assert_complete(fetch(tmp_path), tmp_path)
    assert servers[0].ranges == [None, f"bytes={kept}-"]


def test_the_next_source_resumes_the_first(servers, tmp_path):
    servers[0].respond(disconnects(300_000))
    assert_complete(fetch(tmp_path), tmp_path)
    assert servers[1].ranges == ["bytes=300000-"]
    assert servers[0].sent + servers[1].sent == SIZE


def test_without_range_support_the_download_starts_over(servers, tmp_path, capsys):
    servers[0].respond(no_ranges(100_000), no_ranges())
    assert_complete(fetch(tmp_path), tmp_path)
    assert servers[0].ranges == [None, "bytes=100000-"]
    assert f"{servers[0].host} cannot resume; starting over" in capsys.readouterr().out


def test_a_source_without_progress_is_given_up(servers, tmp_path):
    servers[0].respond(no_ranges(100_000))
    assert_complete(fetch(tmp_path, tries=3), tmp_path)
    assert servers[0].ranges == [None, "bytes=100000-", "bytes=100000-"]
    assert servers[1].ranges == ["bytes=100000-"]


def test_a_stalled_connection_times_out_and_is_resumed(servers, tmp_path, capsys):
    servers[0].respond(stalls(100_000), send_archive)
    assert_complete(fetch(tmp_path, timeout=0.5), tmp_path)
    assert servers[0].ranges == [None, "bytes=100000-"]
    assert "fails (timed out); trying again" in capsys.readouterr().out


def test_a_slow_connection_is_closed_and_resumed(servers, tmp_path, capsys):
    def drip(handler):
        send_archive(handler, until=10)
        for byte in range(10, 40):  # single bytes, so that no read times out
            handler.body(CONTENT[byte : byte + 1])
            if handler.server.stopped.wait(0.05):
                return

    servers[0].respond(drip, send_archive)
    assert_complete(fetch(tmp_path, timeout=0.5), tmp_path)
    assert len(servers[0].ranges) == 2
    assert re.search(r"sent only \d+ bytes in \d s; trying again", capsys.readouterr().out)


def test_a_server_that_does_not_respond_times_out(servers, tmp_path):
    servers[0].respond(lambda handler: handler.server.stopped.wait(10))
    assert_complete(fetch(tmp_path, timeout=0.5), tmp_path)
    assert len(servers[0].ranges) == 3
    assert servers[1].ranges == [None]


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_transient_errors_are_retried(servers, tmp_path, code):
    servers[0].respond(status(code), status(code), send_archive)
    assert_complete(fetch(tmp_path, tries=3), tmp_path)
    assert servers[0].ranges == [None] * 3


def test_permanent_errors_are_reported(servers, tmp_path):
    for server in servers:
        server.respond(status(503))
    download_error(
        tmp_path,
        f"{servers[0].host} responds with 503 .*; {servers[1].host} responds with 503 Service Unavailable",
    )
    assert [len(server.ranges) for server in servers] == [3, 3]


def test_pauses_grow_or_follow_retry_after(servers, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(download.time, "sleep", pauses.append)
    servers[0].respond(
        *(status(503),) * 3, status(429, Retry_After=7), status(503, Retry_After=9999), status(503, Retry_After="x")
    )
    download.download_archive(
        "FLIC", None, tmp_path, retry=Retry(total=6, backoff_factor=1, backoff_max=20, retry_after_max=300)
    )
    assert pauses == [0, 2, 4, 7, 300, 20]


@pytest.mark.parametrize(
    "page",
    [
        sends(b"Too many users", Content_Type="Text/HTML; charset=utf-8"),
        sends(HTML, Content_Length=len(HTML)),
        sends(b"\n" + HTML),
    ],
    ids=["by its type", "by its first bytes", "after white space"],
)
def test_a_web_page_is_detected_and_the_next_source_tried(servers, tmp_path, capsys, page):
    servers[0].respond(page)
    assert_complete(fetch(tmp_path), tmp_path)
    assert f"{servers[0].host} returns a web page instead of the archive" in capsys.readouterr().out
    assert len(servers[0].ranges) == 1


def test_a_web_page_does_not_overwrite_the_partial_download(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:300_000])
    servers[0].respond(sends(HTML, Content_Type="text/html"))
    assert_complete(fetch(tmp_path), tmp_path)
    assert servers[1].ranges == ["bytes=300000-"]


def test_bytes_within_the_archive_are_not_taken_for_html(servers, tmp_path):
    kept = CONTENT.index(b"<")
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:kept])
    assert_complete(fetch(tmp_path), tmp_path)
    assert servers[0].ranges == [f"bytes={kept}-"]


def test_web_pages_from_all_sources_end_in_instructions(servers, tmp_path):
    for server in servers:
        server.respond(sends(HTML, Content_Type="text/html"))
    line = download_error(
        tmp_path, f"{servers[0].host} returns a web page .*; {servers[1].host} returns a web page"
    )
    assert line.endswith(
        "open bensapp.github.io/flic-dataset.html in a browser, download FLIC.zip there "
        "and set source.archive to its path"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_a_zip_is_detected(servers, tmp_path):
    for server in servers:
        server.respond(sends(b"\x1f\x8b gzip", Content_Length=SIZE))
    download_error(tmp_path, "sends a file that is not a zip archive")


def test_a_wrong_size_is_detected_before_anything_is_written(servers, tmp_path):
    servers[0].respond(lambda handler: send_archive(handler, CONTENT[:-1]))
    servers[1].respond(lambda handler: send_archive(handler, CONTENT + b"x", SIZE + 1))
    download_error(tmp_path, r"offers 399,999 bytes, not 400,000; .* offers 400,001 bytes, not 400,000")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_size_is_detected_when_resuming(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:1000])
    servers[0].respond(lambda handler: send_archive(handler, CONTENT + b"x"))
    servers[1].respond(status(416))
    download_error(
        tmp_path, r"offers 400,001 bytes, not 400,000; .* responds with 416 .* 1,000 bytes received so far are kept"
    )


def test_excess_bytes_are_rejected(servers, tmp_path):
    servers[0].respond(sends(CONTENT + b"x"))
    servers[1].respond(status(404))
    download_error(
        tmp_path, f"{servers[0].host} sends more than 400,000 bytes; {servers[1].host} responds with 404 Not Found"
    )
    assert list(tmp_path.iterdir()) == []


def test_missing_bytes_without_a_content_length(servers, tmp_path):
    servers[0].respond(sends(CONTENT[:1000]))
    servers[1].respond(status(404))
    download_error(tmp_path, "ended after 1,000 of 400,000 bytes")


def test_another_range_than_requested_is_rejected(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:1000])

    def other_range(handler):
        handler.head(206, Content_Range=f"bytes 2000-{SIZE - 1}/{SIZE}", Content_Length=SIZE - 2000)
        handler.body(CONTENT[2000:])

    servers[0].respond(other_range)
    assert_complete(fetch(tmp_path), tmp_path)
    assert servers[1].ranges == ["bytes=1000-"]


def test_wrong_content_of_the_right_size(servers, tmp_path, capsys):
    servers[0].respond(lambda handler: send_archive(handler, CONTENT[:-1] + b"\0"))
    assert_complete(fetch(tmp_path), tmp_path)
    assert f"{servers[0].host} provides a file that has SHA-256 " in capsys.readouterr().out
    assert servers[1].ranges == [None]


@pytest.mark.parametrize(
    "kept", [b"x" * 1000, CONTENT[:-1] + b"\0", CONTENT + b"x"], ids=["part", "all", "too much"]
)
def test_an_invalid_partial_download_is_not_the_fault_of_the_source(servers, tmp_path, kept):
    (tmp_path / "FLIC.zip.part").write_bytes(kept)
    assert_complete(fetch(tmp_path), tmp_path)
    assert servers[0].ranges[-1] is None
    assert servers[1].ranges == []


def test_a_complete_partial_download_is_only_verified(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT)
    assert_complete(fetch(tmp_path), tmp_path)
    assert servers[0].ranges == []


def test_a_corrupt_archive_is_replaced(servers, tmp_path):
    (tmp_path / "FLIC.zip").write_bytes(CONTENT[:1000])
    assert_complete(fetch(tmp_path), tmp_path)


def test_a_missing_file_is_not_retried(servers, tmp_path):
    servers[0].respond(status(404))
    assert_complete(fetch(tmp_path), tmp_path)
    assert len(servers[0].ranges) == 1


def test_redirects_are_followed_with_the_range(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:1000])
    servers[0].respond(status(302, Location=servers[1].url))
    assert_complete(fetch(tmp_path), tmp_path)
    assert servers[1].ranges == ["bytes=1000-"]


def test_endless_redirects(servers, tmp_path):
    servers[0].respond(status(302, Location=servers[0].url))
    assert_complete(fetch(tmp_path), tmp_path)
    assert len(servers[0].ranges) == 31  # requests follows 30


def test_unreachable_hosts_are_reported(servers, tmp_path, monkeypatch):
    monkeypatch.setitem(
        download.ARCHIVES, "FLIC", archive("http://127.0.0.1:9/FLIC.zip", "http://no.invalid/F.zip")
    )
    download_error(tmp_path, r"127.0.0.1:9 fails \(Connection refused\); no.invalid fails \(.+\); open ")


def test_a_full_disk_is_reported_before_any_request(servers, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**6, 0, SIZE - 1001))
    download_error(tmp_path, f"{tmp_path}: FLIC.zip requires 400,000 bytes and 398,999 are free; free some")
    assert servers[0].ranges == []
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:1001])  # needs no more space
    assert_complete(fetch(tmp_path), tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_fills_up_is_not_taken_for_an_interruption(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").symlink_to("/dev/full")
    with pytest.raises(OSError) as raised:
        fetch(tmp_path)
    assert raised.value.errno == errno.ENOSPC
    assert len(servers[0].ranges) == 1


def test_a_local_archive_is_used(servers, tmp_path):
    mine = tmp_path / "mine.zip"
    mine.write_bytes(CONTENT)
    assert fetch(tmp_path / "archives", location=str(mine)) == mine
    assert servers[0].ranges == []


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (None, r"mine.zip: no such archive; correct source.archive, or set it to null to download it"),
        (HTML, r"mine.zip: is not a zip archive \(perhaps a web page was saved instead\), so it is not FLIC.zip"),
        (CONTENT[:-30], r"mine.zip: has 399,970 bytes, not 400,000, so it is not FLIC.zip; download it again"),
        (CONTENT[:-1] + b"\0", r"mine.zip: has SHA-256 .*, not .*, so it is not FLIC.zip; download it again"),
    ],
)
def test_a_wrong_local_archive_is_an_error(servers, tmp_path, content, match):
    if content:
        (tmp_path / "mine.zip").write_bytes(content)
    download_error(tmp_path / "archives", match, location=str(tmp_path / "mine.zip"))
    assert servers[0].ranges == []


def test_a_url_is_tried_before_the_known_ones(servers, tmp_path, monkeypatch):
    monkeypatch.setitem(download.ARCHIVES, "FLIC", archive(servers[1].url))
    assert_complete(fetch(tmp_path / "a", location=servers[0].url), tmp_path / "a")
    assert [len(server.ranges) for server in servers] == [1, 0]
    servers[0].respond(status(403))
    assert_complete(fetch(tmp_path / "b", location=servers[0].url), tmp_path / "b")
    assert [len(server.ranges) for server in servers] == [2, 1]


def test_an_invalid_url_is_passed_over(servers, tmp_path):
    assert_complete(fetch(tmp_path, location="http://[nowhere/FLIC.zip"), tmp_path)


def test_credentials_in_a_url_are_not_shown(servers, tmp_path, capsys):
    for server in servers:
        server.respond(status(404))
    line = download_error(
        tmp_path, servers[0].host, location=servers[0].url.replace("http://", "http://me:secret@")
    )
    assert "secret" not in line + capsys.readouterr().out
