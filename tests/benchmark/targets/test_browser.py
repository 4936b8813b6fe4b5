"""Messages that the waiting command accepts or rejects; tests/web runs the page in a browser."""

import http.client
import json
import socket
import threading
import time

import pytest
from support.processes import wait_for

from splitpose.benchmark.measure import measure
from splitpose.benchmark.targets import BenchmarkOptions, jobs, messages, open_target
from splitpose.benchmark.targets.browser import Browser, reachable_host
from splitpose.benchmark.tflite_operators import inspect_tflite
from splitpose.cli import main
from splitpose.errors import InputError
from splitpose.web import static_server

pytestmark = pytest.mark.integration

OPTIONS = BenchmarkOptions(runs=4, warmup_runs=1, sustained_seconds=2.0)


@pytest.fixture(autouse=True)
def dist(tmp_path, monkeypatch):
    """Replace the built page by one with two files."""
    folder = tmp_path / "dist"
    (folder / "wasm").mkdir(parents=True)
    (folder / "index.html").write_text("page")
    (folder / "benchmark.html").write_text("benchmark")
    (tmp_path / "secret").write_text("secret")
    monkeypatch.setattr(static_server, "DIST", folder)
    return folder


def result(**changes):
    """Return a page's message with the result of its first job."""
    return {
        "page": "one",
        "number": 1,
        "device": {
            "cpu": "Phone 3",
            "architecture": "arm 64 bit",
            "cores": 8,
            "system": "Android 14",
            "runtime": "r",
        },
        "by_threads": [{"threads": 1, "samples_ms": [1, 2.0, 3.0, 4.0]}],
        "load_ms": 20.5,
        "first_run_ms": 5.5,
        "fully_delegated": True,
        "sustained": {"runs": 500, "fifths_ms": [2.0, 3.0]},
    } | changes


def request(target, method, path, body=None):
    """Send a request and return the status and body of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=10)
    connection.request(method, path, body)
    response = connection.getresponse()
    return response.status, response.read()


def post(target, path, content):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return request(target, "POST", f"/{target.token}/{path}", body)


class Page:
    """A fake page for a target that waits in another thread."""

    def __init__(self, target, model, options=OPTIONS):
        self.target, self.raised, self.run = target, None, None
        self.thread = threading.Thread(target=self._run, args=(model, options), daemon=True)
        self.thread.start()
        wait_for(lambda: target.jobs.latest, "there is no job")

    def _run(self, model, options):
        try:
            with self.target.serve():
                self.run = self.target.run(model, inspect_tflite(model).inputs, options)
        except InputError as error:
            self.raised = error

    def request(self, method, path, body=None):
        return request(self.target, method, path, body)

    def post(self, path, content):
        return post(self.target, path, content)

    def finish(self):
        """Request another job after the result, as the page does, and learn that there is none."""
        job = self.target.jobs.latest
        wait_for(lambda: job.ended.is_set() or not self.thread.is_alive(), "the target did not end")
        if isinstance(job.outcome, messages.JobResult):
            assert self.post("job", {"page": "one"}) == (200, b"null")
        self.thread.join(10)
        assert not self.thread.is_alive()
        return self


def browser(**settings):
    return Browser("browser", "127.0.0.1", 0, **settings)


def test_a_page_receives_a_job_and_its_result_is_summarised(small, capsys):
    page = Page(browser(), small)
    assert page.request("GET", f"/{page.target.token}/") == (200, b"benchmark")
    status, job = page.post("job", {"page": "one"})
    assert status == 200
    assert json.loads(job) == {
        "number": 1,
        "model": "/".join(small.parts[-2:]),
        "threads": [1],
        "runs": 4,
        "warmup_runs": 1,
        "sustained_seconds": 2.0,
    }
    assert page.request("GET", f"/{page.target.token}/model") == (200, small.read_bytes())
    assert page.post("progress", {"page": "one", "number": 1, "completed_runs": 3}) == (204, b"")
    assert page.post("result", result()) == (204, b"")
    run = page.finish().run
    latency = run.by_threads[0]
    assert (latency.p50_ms, latency.p95_ms, latency.runs) == (2.5, 3.85, 4)
    assert (run.load_ms, run.first_run_ms, run.delegate_partitions) == (20.5, 5.5, 1)
    assert (run.sustained.seconds, run.sustained.slowdown) == (2.0, 1.5)
    assert (run.device.cpu, run.device.delegate, run.device.target) == ("Phone 3", "XNNPACK", "browser")
    assert f"open http://127.0.0.1:{page.target.port}/{page.target.token}/ " in capsys.readouterr().out


def test_the_port_is_free_afterwards(small):
    page = Page(browser(), small)
    page.post("result", result())
    page.finish()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", page.target.port)) != 0


def test_several_files_are_measured_at_one_address_with_pauses_in_between(small, capsys):
    target, benchmarks = browser(), []

    def measure_both():
        with target.serve():
            benchmarks.append(measure(target, {"a": small}, OPTIONS))
            time.sleep(0.5)
            benchmarks.append(measure(target, {"b": small}, OPTIONS))

    thread = threading.Thread(target=measure_both)
    thread.start()
    wait_for(lambda: target.port, "the page is not served")
    for number in (1, 2):
        status, job = post(target, "job", {"page": "one"})  # returns as soon as there is a job
        assert (status, json.loads(job)["number"]) == (200, number)
        assert post(target, "result", result(number=number))[0] == 204
    assert post(target, "job", {"page": "one"}) == (200, b"null")
    thread.join(10)
    assert [list(benchmark.models) for benchmark in benchmarks] == [["a"], ["b"]]
    assert capsys.readouterr().out.count("open http") == 1


def test_a_page_without_a_job_has_to_repeat_its_request(small, monkeypatch):
    monkeypatch.setattr(jobs, "LONG_POLL_SECONDS", 0.1)
    target = browser()
    with target.serve():
        assert post(target, "job", {"page": "one"}) == (204, b"")


def test_messages_about_a_job_that_has_ended_are_rejected(small, monkeypatch):
    monkeypatch.setattr(jobs, "CLOSE_SECONDS", 0.1)
    target = browser()
    with target.serve():
        job = target.jobs.add("small", small.read_bytes(), OPTIONS)
        assert post(target, "result", result())[0] == 204
        assert post(target, "result", result(load_ms=1.0)) == (409, b"this is not the current job")
        assert post(target, "result", result(load_ms=-1.0))[0] == 400
        assert request(target, "GET", f"/{target.token}/model")[0] == 404
        assert job.outcome.load_ms == 20.5


@pytest.mark.parametrize("outcome", [None, "invalid", messages.JobFailure(page="one", number=1, error="why")])
def test_closing_does_not_wait_for_a_page_without_a_result(small, outcome, monkeypatch):
    target = browser()
    monkeypatch.setattr(target.jobs.page_informed, "wait", lambda seconds: pytest.fail("it waited"))
    with target.serve():
        job = target.jobs.add("small", small.read_bytes(), OPTIONS)
        if outcome:
            job.end(outcome)


@pytest.mark.parametrize("path", ["/", "/model", "/benchmark.html", "/wrongtoken/", "/wrongtoken/model"])
def test_nothing_is_served_without_the_token(small, path):
    page = Page(browser(), small)
    for method in ("GET", "HEAD", "POST"):
        assert page.request(method, path)[0] == 404
    page.post("result", result())
    assert page.finish().run


def test_nothing_is_served_but_the_page(small):
    page = Page(browser(), small)
    assert page.request("GET", f"/{page.target.token}") == (308, b"")  # redirects to the path with a slash
    for path in ("../secret", "..%2fsecret", "wasm/", "gone"):
        assert page.request("GET", f"/{page.target.token}/{path}")[0] == 404
    assert page.post("anything", result())[0] == 404
    page.post("result", result())
    assert page.finish().run


def test_only_the_first_page_is_measured(small):
    page = Page(browser(), small)
    page.post("job", {"page": "one"})
    for path in ("job", "progress", "result", "failure"):
        status, text = page.post(path, result(page="two"))
        assert (status, text[:23]) == (409, b"another page is already")
    assert (
        page.post("result", result(page="two") | {"load_ms": -1})[0] == 409
    )  # nor does its invalid message end the command
    page.post("result", result())
    assert page.finish().run


@pytest.mark.parametrize(
    "message",
    [b"", b"[" * 100_000, result(page="")],
    ids=["empty", "too deep", "without a page"],
)
def test_a_message_without_a_page_is_rejected_and_the_command_continues(small, message):
    page = Page(browser(), small)
    assert page.post("result", message)[0] in (400, 413)
    page.post("result", result())
    assert page.finish().run


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"load_ms": "20"}, "load_ms: Input should be a valid number"),
        ({"load_ms": -1}, "load_ms: "),
        ({"more": 1}, "more: Extra inputs are not permitted"),
        ({"by_threads": [{"threads": 1, "samples_ms": [1.0, 2.0, 3.0]}]}, "by_threads: not 4 runs"),
        ({"by_threads": [{"threads": 2, "samples_ms": [1.0, 2.0, 3.0, 4.0]}]}, "by_threads: not 4 runs"),
        ({"by_threads": []}, "by_threads: not 4 runs"),
        ({"by_threads": [{"threads": 1, "samples_ms": [1.0, 2.0, 3.0, 1e30]}]}, "by_threads.0.samples_ms.3: "),
        (
            {"by_threads": [{"threads": 1, "samples_ms": [1.0, 2.0, 3.0, float("nan")]}]},
            "by_threads.0.samples_ms.3: ",
        ),
        ({"sustained": None}, "sustained: not as requested"),
        ({"device": result()["device"] | {"cpu": "\x1b[2J"}}, "device.cpu: .*unprintable characters"),
        ({"device": result()["device"] | {"cpu": "x" * 301}}, "device.cpu: "),
        ({"device": result()["device"] | {"cores": True}}, "device.cores: "),
    ],
)
def test_an_invalid_result_ends_the_command_in_one_line(small, changes, error):
    page = Page(browser(), small)
    status, text = page.post("result", result(**changes))
    assert status == 400
    assert text.startswith(b"invalid message: ")
    with pytest.raises(InputError, match=rf"^browser: the page sent an invalid message \({error}.*\)$"):
        raise page.finish().raised


def test_a_message_that_is_too_large_is_not_read(small):
    page = Page(browser(), small)
    assert page.post("result", b" " * (65536 + 4 * 32 + 1))[0] == 413
    connection = http.client.HTTPConnection("127.0.0.1", page.target.port, timeout=10)
    connection.putrequest("POST", f"/{page.target.token}/result")
    connection.endheaders()
    assert connection.getresponse().status == 411
    page.post("result", result())
    assert page.finish().run


def test_the_reason_for_a_failure_is_reported(small):
    page = Page(browser(), small)
    page.post("failure", {"page": "one", "number": 1, "error": "Element type INT8 is not supported."})
    with pytest.raises(InputError, match=r"small.tflite: does not run on browser: Element type INT8 is not supp"):
        raise page.finish().raised


def test_a_page_that_is_not_opened_is_reported(small):
    with pytest.raises(InputError, match=r"^browser: the address was not opened within 0 s$"):
        raise Page(browser(open_seconds=0.3), small).finish().raised


def test_a_page_that_stops_sending_messages_is_reported(small):
    page = Page(browser(silent_seconds=0.3), small)
    page.post("job", {"page": "one"})
    with pytest.raises(
        InputError, match=r"the page sent no message for 0 s .* keep it in the foreground and the screen on"
    ):
        raise page.finish().raised


@pytest.mark.parametrize(
    "name", ["browser:", "browser:a b", "browser:0.0.0.0:70000", "browser:0.0.0.0:x", "browser:[::]"]
)
def test_invalid_browser_names_are_rejected(name):
    with pytest.raises(InputError, match=r"not a browser target; use browser \(this machine\) or browser:0.0.0.0"):
        Browser.parse(name)


def test_browser_names_are_parsed():
    target = Browser.parse("browser")
    assert (target.host, target.port) == ("127.0.0.1", 0)
    target = Browser.parse("browser:0.0.0.0:8765")
    assert (target.host, target.port) == ("0.0.0.0", 8765)
    assert Browser.parse("browser").token != Browser.parse("browser").token
    assert reachable_host("127.0.0.1") == "127.0.0.1"
    assert reachable_host("0.0.0.0") != "0.0.0.0"


def test_a_port_in_use_is_reported(small):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        expected = r"cannot be served on port \d+ of 127.0.0.1: "
        name = f"browser:127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match=expected), open_target(name):
            pytest.fail("the page is served")


def test_a_page_that_has_not_been_built_is_reported(small, dist, capsys):
    (dist / "index.html").unlink()
    assert main(["benchmark", str(small), "--target", "browser"]) == 1
    error = capsys.readouterr().err
    assert "the page has not been built; run `npm ci` and `npm run build` in" in error
    assert error.count("\n") == 1
