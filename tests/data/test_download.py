"""Downloads from a real server on loopback that answers each request as it is told to."""

import errno
import hashlib
import random
import re
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
CONTENT = download.ZIP_START + random.Random(7).randbytes(SIZE - 4)
PAGE = b"<!DOCTYPE html><title>Sign in</title>"


class Server(ThreadingHTTPServer):
    """Gives `answers` one after the other, the last again and again; notes the ranges asked for and bytes sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}/FLIC.zip"
        self.host = f"127.0.0.1:{self.server_port}"
        self.ranges, self.sent, self.stopped = [], 0, threading.Event()

    def answer(self, *answers):
        self.answers = chain(answers, repeat(answers[-1]))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.ranges.append(self.headers["Range"])
        next(self.server.answers)(self)

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


def whole(handler, content=CONTENT, until=SIZE):
    """As a server with ranges answers; the connection ends after byte `until`."""
    start = int((handler.headers["Range"] or "bytes=0-")[len("bytes=") : -1])
    if start:
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.head(206, Content_Length=len(content) - start, Content_Range=span)
    else:
        handler.head(200, Content_Length=len(content), Content_Type="application/octet-stream")
    handler.body(content[start:until])


def breaks_off(after):
    return lambda handler: whole(handler, until=after)


def stalls(after):
    def answer(handler):
        whole(handler, until=after)
        handler.wfile.flush()
        handler.server.stopped.wait(10)

    return answer


def no_ranges(until=SIZE):
    def answer(handler):
        handler.head(200, Content_Length=SIZE)
        handler.body(CONTENT[:until])

    return answer


def status(code, **headers):
    return lambda handler: handler.head(code, Content_Length=0, **headers)


def sends(content, **headers):
    """Status 200 and `content`, without its length unless `headers` has it."""

    def answer(handler):
        handler.head(200, **headers)
        handler.body(content)

    return answer


@pytest.fixture
def servers(monkeypatch):
    """Two servers, the known sources of FLIC, whose archive is CONTENT here."""
    monkeypatch.setenv("NO_PROXY", "*")
    pair = [Server(), Server()]
    monkeypatch.setitem(download.ARCHIVES, "FLIC", archive(*(server.address for server in pair)))
    for server in pair:
        server.answer(whole)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield pair
    for server in pair:
        server.stopped.set()
        server.shutdown()
        server.server_close()


def archive(*addresses):
    return download.Archive("FLIC.zip", SIZE, hashlib.sha256(CONTENT).hexdigest(), addresses)


def get(folder, given=None, timeout=2.0, tries=3):
    return download.fetch("FLIC", given, folder, timeout=timeout, retry=Retry(total=tries - 1, backoff_factor=0.01))


def fails(folder, match, **options):
    """The one line that a download ends with."""
    with pytest.raises(InputError, match=match) as raised:
        get(folder, **options)
    assert "\n" not in str(raised.value)
    assert not (folder / "FLIC.zip").exists()
    return str(raised.value)


def assert_whole(path, folder):
    assert path == folder / "FLIC.zip"
    assert path.read_bytes() == CONTENT
    assert [file.name for file in folder.iterdir()] == ["FLIC.zip"]


def test_the_known_archives():
    flic, full = download.ARCHIVES["FLIC"], download.ARCHIVES["FLIC-full"]
    assert (flic.name, flic.size, flic.sha256[:8]) == ("FLIC.zip", 300257553, "778a4847")
    assert (full.name, full.size, full.sha256[:8]) == ("FLIC-full.zip", 1183926041, "2b186688")
    first, second, mirror = flic.addresses
    assert first.startswith("https://drive.usercontent.google.com/download?")
    assert "id=0B4K3PZp8xXDJN0Fpb0piVjQ3Y3M" in first and "confirm=t" in first
    assert "0B4K3PZp8xXDJN0Fpb0piVjQ3Y3M" in second and "0B4K3PZp8xXDJd2VwblhhOVBfMDg" in full.addresses[0]
    assert mirror == "http://vision.grasp.upenn.edu/video/FLIC.zip"


def test_whole_at_once_and_kept(servers, tmp_path):
    folder = tmp_path / "data" / "archives"
    assert_whole(get(folder), folder)
    assert_whole(get(folder), folder)
    assert servers[0].ranges == [None]
    assert servers[1].ranges == []


def test_breaks_are_resumed_where_they_were(servers, tmp_path):
    servers[0].answer(breaks_off(100_000), breaks_off(250_000), whole)
    assert_whole(get(tmp_path), tmp_path)
    assert servers[0].ranges == [None, "bytes=100000-", "bytes=250000-"]
    assert servers[0].sent == SIZE


def test_more_breaks_than_tries_are_fine_while_the_file_grows(servers, tmp_path):
    servers[0].answer(*(breaks_off(done) for done in range(50_000, SIZE, 50_000)), whole)
    assert_whole(get(tmp_path, tries=2), tmp_path)
    assert servers[0].sent == SIZE


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(servers, tmp_path):
    servers[0].answer(breaks_off(100_000))
    servers[1].answer(status(404))
    assert "the 100,000 bytes that came are kept for the next run" in fails(tmp_path, "no source gave it")
    assert (tmp_path / "FLIC.zip.part").stat().st_size == 100_000
    servers[0].answer(whole)
    assert_whole(get(tmp_path), tmp_path)
    assert servers[0].ranges[-1] == "bytes=100000-"
    assert servers[0].sent == SIZE


def test_a_killed_process_leaves_a_part_that_is_resumed(servers, tmp_path):
    servers[0].answer(stalls(100_000))
    other = (
        "from pathlib import Path; from splitpose.data import fetch; import sys; "
        f"fetch.ARCHIVES['FLIC'] = fetch.Archive('FLIC.zip', {SIZE}, '', ({servers[0].address!r},)); "
        "fetch.fetch('FLIC', None, Path(sys.argv[1]))"
    )
    process = subprocess.Popen([sys.executable, "-c", other, str(tmp_path)], stdout=subprocess.DEVNULL)
    part = tmp_path / "FLIC.zip.part"
    until = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert [file.name for file in tmp_path.iterdir()] == ["FLIC.zip.part"]
    kept = part.stat().st_size
    assert 0 < kept <= 100_000
    servers[0].answer(whole)
    assert_whole(get(tmp_path), tmp_path)
    assert servers[0].ranges == [None, f"bytes={kept}-"]


def test_the_next_source_goes_on_with_what_the_first_gave(servers, tmp_path):
    servers[0].answer(breaks_off(300_000))
    assert_whole(get(tmp_path), tmp_path)
    assert servers[1].ranges == ["bytes=300000-"]
    assert servers[0].sent + servers[1].sent == SIZE


def test_without_ranges_it_starts_anew_and_says_so(servers, tmp_path, capsys):
    servers[0].answer(no_ranges(100_000), no_ranges())
    assert_whole(get(tmp_path), tmp_path)
    assert servers[0].ranges == [None, "bytes=100000-"]
    assert f"{servers[0].host} cannot resume; starting anew" in capsys.readouterr().out


def test_a_source_that_never_gets_further_is_given_up(servers, tmp_path):
    servers[0].answer(no_ranges(100_000))
    assert_whole(get(tmp_path, tries=3), tmp_path)
    assert servers[0].ranges == [None, "bytes=100000-", "bytes=100000-"]
    assert servers[1].ranges == ["bytes=100000-"]


def test_a_stalled_connection_times_out_and_is_resumed(servers, tmp_path, capsys):
    servers[0].answer(stalls(100_000), whole)
    assert_whole(get(tmp_path, timeout=0.5), tmp_path)
    assert servers[0].ranges == [None, "bytes=100000-"]
    assert "fails (timed out); trying again" in capsys.readouterr().out


def test_a_connection_that_drips_is_given_up_and_resumed(servers, tmp_path, capsys):
    def drips(handler):
        whole(handler, until=10)
        for byte in range(10, 40):  # a byte now and then: no single wait is long
            handler.body(CONTENT[byte : byte + 1])
            if handler.server.stopped.wait(0.05):
                return

    servers[0].answer(drips, whole)
    assert_whole(get(tmp_path, timeout=0.5), tmp_path)
    assert len(servers[0].ranges) == 2
    assert re.search(r"sent only \d+ bytes in \d s; trying again", capsys.readouterr().out)


def test_a_server_that_does_not_answer_times_out(servers, tmp_path):
    servers[0].answer(lambda handler: handler.server.stopped.wait(10))
    assert_whole(get(tmp_path, timeout=0.5), tmp_path)
    assert len(servers[0].ranges) == 3
    assert servers[1].ranges == [None]


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_trouble_that_passes(servers, tmp_path, code):
    servers[0].answer(status(code), status(code), whole)
    assert_whole(get(tmp_path, tries=3), tmp_path)
    assert servers[0].ranges == [None] * 3


def test_trouble_that_stays(servers, tmp_path):
    for server in servers:
        server.answer(status(503))
    fails(
        tmp_path, f"FLIC.zip: .*{servers[0].host} answers 503 .*; {servers[1].host} answers 503 Service Unavailable"
    )
    assert [len(server.ranges) for server in servers] == [3, 3]


def test_pauses_grow_or_are_as_long_as_the_server_asks(servers, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(download.time, "sleep", pauses.append)
    servers[0].answer(
        *(status(503),) * 3, status(429, Retry_After=7), status(503, Retry_After=9999), status(503, Retry_After="x")
    )
    download.fetch(
        "FLIC", None, tmp_path, retry=Retry(total=6, backoff_factor=1, backoff_max=20, retry_after_max=300)
    )
    assert pauses == [0, 2, 4, 7, 300, 20]


@pytest.mark.parametrize(
    "page",
    [
        sends(b"Too many users", Content_Type="Text/HTML; charset=utf-8"),
        sends(PAGE, Content_Length=len(PAGE)),
        sends(b"\n" + PAGE),
    ],
    ids=["told by its type", "told by its first bytes", "and after white space"],
)
def test_a_web_page_is_recognised_and_the_next_source_tried(servers, tmp_path, capsys, page):
    servers[0].answer(page)
    assert_whole(get(tmp_path), tmp_path)
    assert f"{servers[0].host} sends a web page instead of the archive" in capsys.readouterr().out
    assert len(servers[0].ranges) == 1


def test_a_web_page_costs_nothing_of_what_is_kept(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:300_000])
    servers[0].answer(sends(PAGE, Content_Type="text/html"))
    assert_whole(get(tmp_path), tmp_path)
    assert servers[1].ranges == ["bytes=300000-"]


def test_bytes_amid_the_archive_are_not_taken_for_a_page(servers, tmp_path):
    kept = CONTENT.index(b"<")
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:kept])
    assert_whole(get(tmp_path), tmp_path)
    assert servers[0].ranges == [f"bytes={kept}-"]


def test_web_pages_everywhere_end_in_what_to_do(servers, tmp_path):
    for server in servers:
        server.answer(sends(PAGE, Content_Type="text/html"))
    line = fails(tmp_path, f"{servers[0].host} sends a web page .*; {servers[1].host} sends a web page")
    assert line.endswith(
        "open bensapp.github.io/flic-dataset.html in a browser, download FLIC.zip there "
        "and put its path into source.archive"
    )
    assert list(tmp_path.iterdir()) == []


def test_another_kind_of_file_is_recognised(servers, tmp_path):
    for server in servers:
        server.answer(sends(b"\x1f\x8b gzip", Content_Length=SIZE))
    fails(tmp_path, "sends something that is no zip archive")


def test_a_wrong_size_is_recognised_before_anything_is_written(servers, tmp_path):
    servers[0].answer(lambda handler: whole(handler, CONTENT[:-1]))
    servers[1].answer(lambda handler: whole(handler, CONTENT + b"x", SIZE + 1))
    fails(tmp_path, r"offers 399,999 bytes, not 400,000; .* offers 400,001 bytes, not 400,000")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_size_is_recognised_when_resuming(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:1000])
    servers[0].answer(lambda handler: whole(handler, CONTENT + b"x"))
    servers[1].answer(status(416))
    fails(tmp_path, r"offers 400,001 bytes, not 400,000; .* answers 416 .* 1,000 bytes that came are kept")


def test_more_bytes_than_known_are_not_taken(servers, tmp_path):
    servers[0].answer(sends(CONTENT + b"x"))
    servers[1].answer(status(404))
    fails(tmp_path, f"{servers[0].host} sends more than 400,000 bytes; {servers[1].host} answers 404 Not Found")
    assert list(tmp_path.iterdir()) == []


def test_fewer_bytes_than_known_without_a_length(servers, tmp_path):
    servers[0].answer(sends(CONTENT[:1000]))
    servers[1].answer(status(404))
    fails(tmp_path, "ended after 1,000 of 400,000 bytes")


def test_another_part_than_asked_for_is_not_taken(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:1000])

    def elsewhere(handler):
        handler.head(206, Content_Range=f"bytes 2000-{SIZE - 1}/{SIZE}", Content_Length=SIZE - 2000)
        handler.body(CONTENT[2000:])

    servers[0].answer(elsewhere)
    assert_whole(get(tmp_path), tmp_path)
    assert servers[1].ranges == ["bytes=1000-"]


def test_wrong_content_of_the_right_size(servers, tmp_path, capsys):
    servers[0].answer(lambda handler: whole(handler, CONTENT[:-1] + b"\0"))
    assert_whole(get(tmp_path), tmp_path)
    assert f"{servers[0].host} gives a file that has the sha256 " in capsys.readouterr().out
    assert servers[1].ranges == [None]


@pytest.mark.parametrize(
    "kept", [b"x" * 1000, CONTENT[:-1] + b"\0", CONTENT + b"x"], ids=["a part", "all of it", "more than all"]
)
def test_a_spoilt_part_does_not_count_against_the_source(servers, tmp_path, kept):
    (tmp_path / "FLIC.zip.part").write_bytes(kept)
    assert_whole(get(tmp_path), tmp_path)
    assert servers[0].ranges[-1] is None
    assert servers[1].ranges == []


def test_a_whole_part_is_not_fetched_again(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT)
    assert_whole(get(tmp_path), tmp_path)
    assert servers[0].ranges == []


def test_a_spoilt_archive_is_replaced(servers, tmp_path):
    (tmp_path / "FLIC.zip").write_bytes(CONTENT[:1000])
    assert_whole(get(tmp_path), tmp_path)


def test_not_there(servers, tmp_path):
    servers[0].answer(status(404))
    assert_whole(get(tmp_path), tmp_path)
    assert len(servers[0].ranges) == 1


def test_redirects_are_followed_with_the_range(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:1000])
    servers[0].answer(status(302, Location=servers[1].address))
    assert_whole(get(tmp_path), tmp_path)
    assert servers[1].ranges == ["bytes=1000-"]


def test_redirects_without_end(servers, tmp_path):
    servers[0].answer(status(302, Location=servers[0].address))
    assert_whole(get(tmp_path), tmp_path)
    assert len(servers[0].ranges) == 31  # requests follows 30


def test_nobody_listens(servers, tmp_path, monkeypatch):
    monkeypatch.setitem(
        download.ARCHIVES, "FLIC", archive("http://127.0.0.1:9/FLIC.zip", "http://no.invalid/F.zip")
    )
    fails(tmp_path, r"127.0.0.1:9 fails \(Connection refused\); no.invalid fails \(.+\); open ")


def test_a_full_disk_is_told_before_anything_is_asked(servers, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: usage(10**6, 0, SIZE - 1001))
    fails(tmp_path, f"{tmp_path}: 400,000 bytes are needed for FLIC.zip and 398,999 are free; free some")
    assert servers[0].ranges == []
    (tmp_path / "FLIC.zip.part").write_bytes(CONTENT[:1001])  # what is kept needs no room
    assert_whole(get(tmp_path), tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_fills_up_is_not_taken_for_a_break(servers, tmp_path):
    (tmp_path / "FLIC.zip.part").symlink_to("/dev/full")
    with pytest.raises(OSError) as raised:
        get(tmp_path)
    assert raised.value.errno == errno.ENOSPC
    assert len(servers[0].ranges) == 1


def test_a_given_path_is_used(servers, tmp_path):
    mine = tmp_path / "mine.zip"
    mine.write_bytes(CONTENT)
    assert get(tmp_path / "archives", given=str(mine)) == mine
    assert servers[0].ranges == []


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (None, r"mine.zip: no such archive; correct source.archive, or set it to null to download it"),
        (PAGE, r"mine.zip: is no zip archive; perhaps a web page was saved instead, so it is not FLIC.zip"),
        (CONTENT[:-30], r"mine.zip: has 399,970 bytes, not 400,000, so it is not FLIC.zip; get it anew"),
        (CONTENT[:-1] + b"\0", r"mine.zip: has the sha256 .*, not .*, so it is not FLIC.zip; get it anew"),
    ],
)
def test_a_given_path_that_is_wrong_is_not_passed_over(servers, tmp_path, content, match):
    if content:
        (tmp_path / "mine.zip").write_bytes(content)
    fails(tmp_path / "archives", match, given=str(tmp_path / "mine.zip"))
    assert servers[0].ranges == []


def test_a_given_address_comes_first_and_the_known_ones_after_it(servers, tmp_path, monkeypatch):
    monkeypatch.setitem(download.ARCHIVES, "FLIC", archive(servers[1].address))
    assert_whole(get(tmp_path / "a", given=servers[0].address), tmp_path / "a")
    assert [len(server.ranges) for server in servers] == [1, 0]
    servers[0].answer(status(403))
    assert_whole(get(tmp_path / "b", given=servers[0].address), tmp_path / "b")
    assert [len(server.ranges) for server in servers] == [2, 1]


def test_a_given_address_that_is_none(servers, tmp_path):
    assert_whole(get(tmp_path, given="http://[nowhere/FLIC.zip"), tmp_path)


def test_a_name_and_password_in_an_address_are_not_shown(servers, tmp_path, capsys):
    for server in servers:
        server.answer(status(404))
    line = fails(tmp_path, servers[0].host, given=servers[0].address.replace("http://", "http://me:secret@"))
    assert "secret" not in line + capsys.readouterr().out
