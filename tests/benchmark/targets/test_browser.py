"""What the waiting command takes from a page and what it refuses; tests/web has the page itself in a browser."""

import http.client
import json
import socket
import threading
import time

import pytest
from support.processes import wait_for

from splitpose.benchmark.measure import measure
from splitpose.benchmark.targets import Options, jobs, target_of
from splitpose.benchmark.targets import messages as answer
from splitpose.benchmark.targets.browser import Browser, reachable
from splitpose.benchmark.tflite_operators import content
from splitpose.cli import main
from splitpose.errors import InputError
from splitpose.web import static_server as page

OPTIONS = Options(runs=4, warmup_runs=1, sustained_seconds=2.0)


@pytest.fixture(autouse=True)
def dist(tmp_path, monkeypatch):
    """A page of two files."""
    folder = tmp_path / "dist"
    (folder / "wasm").mkdir(parents=True)
    (folder / "index.html").write_text("page")
    (folder / "bench.html").write_text("benchmark")
    (tmp_path / "secret").write_text("secret")
    monkeypatch.setattr(page, "DIST", folder)
    return folder


def found(**other):
    """What a page posts of its first job."""
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
    } | other


def ask(target, method, path, body=None):
    """Status and body of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=10)
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.status, answer.read()


def post(target, path, content):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return ask(target, "POST", f"/{target.token}/{path}", body)


class Page:
    """Stands for the page while a target waits for it."""

    def __init__(self, target, model, options=OPTIONS):
        self.target, self.raised, self.run = target, None, None
        self.thread = threading.Thread(target=self._wait, args=(model, options), daemon=True)
        self.thread.start()
        wait_for(lambda: target.jobs.latest, "there is no job")

    def _wait(self, model, options):
        try:
            with self.target.opened():
                self.run = self.target.run(model, content(model).inputs, options)
        except InputError as error:
            self.raised = error

    def ask(self, method, path, body=None):
        return ask(self.target, method, path, body)

    def post(self, path, content):
        return post(self.target, path, content)

    def end(self):
        """After the result: like the page, ask for another job, hear that there is none."""
        job = self.target.jobs.latest
        wait_for(lambda: job.ended.is_set() or not self.thread.is_alive(), "it waits on")
        if isinstance(job.outcome, answer.Found):
            assert self.post("job", {"page": "one"}) == (200, b"null")
        self.thread.join(10)
        assert not self.thread.is_alive()
        return self


def browser(**other):
    return Browser("browser", "127.0.0.1", 0, **other)


def test_a_page_takes_a_job_and_its_figures_are_worked_out(small, capsys):
    page = Page(browser(), small)
    assert page.ask("GET", f"/{page.target.token}/") == (200, b"benchmark")
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
    assert page.ask("GET", f"/{page.target.token}/model") == (200, small.read_bytes())
    assert page.post("word", {"page": "one", "number": 1, "done": 3}) == (204, b"")
    assert page.post("found", found()) == (204, b"")
    run = page.end().run
    latency = run.by_threads[0]
    assert (latency.p50_ms, latency.p95_ms, latency.runs) == (2.5, 3.85, 4)
    assert (run.load_ms, run.first_run_ms, run.delegate_parts) == (20.5, 5.5, 1)
    assert (run.sustained.seconds, run.sustained.slowdown) == (2.0, 1.5)
    assert (run.device.cpu, run.device.delegate, run.device.target) == ("Phone 3", "XNNPACK", "browser")
    assert f"open http://127.0.0.1:{page.target.port}/{page.target.token}/ " in capsys.readouterr().out


def test_the_port_is_free_again(small):
    page = Page(browser(), small)
    page.post("found", found())
    page.end()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", page.target.port)) != 0


def test_several_files_are_measured_at_one_address_however_long_the_command_takes_between(small, capsys):
    target, results = browser(), []

    def measure_both():
        with target.opened():
            results.append(measure(target, {"a": small}, OPTIONS))
            time.sleep(0.5)
            results.append(measure(target, {"b": small}, OPTIONS))

    thread = threading.Thread(target=measure_both)
    thread.start()
    wait_for(lambda: target.port, "it is not served")
    for number in (1, 2):
        status, job = post(target, "job", {"page": "one"})  # waits until there is one
        assert (status, json.loads(job)["number"]) == (200, number)
        assert post(target, "found", found(number=number))[0] == 204
    assert post(target, "job", {"page": "one"}) == (200, b"null")
    thread.join(10)
    assert [list(result.models) for result in results] == [["a"], ["b"]]
    assert capsys.readouterr().out.count("open http") == 1


def test_a_page_that_waits_long_asks_again(small, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 0.1)
    target = browser()
    with target.opened():
        assert post(target, "job", {"page": "one"}) == (204, b"")


def test_what_comes_of_a_job_that_has_ended_is_refused(small, monkeypatch):
    monkeypatch.setattr(jobs, "FAREWELL", 0.1)
    target = browser()
    with target.opened():
        job = target.jobs.add("small", small.read_bytes(), OPTIONS)
        assert post(target, "found", found())[0] == 204
        assert post(target, "found", found(load_ms=1.0)) == (409, b"that was another job")
        assert post(target, "found", found(load_ms=-1.0))[0] == 400
        assert ask(target, "GET", f"/{target.token}/model")[0] == 404
        assert job.outcome.load_ms == 20.5


@pytest.mark.parametrize("outcome", [None, "nonsense", answer.Failed(page="one", number=1, failed="why")])
def test_a_page_that_has_not_done_its_job_is_not_waited_for_at_the_end(small, outcome, monkeypatch):
    target = browser()
    monkeypatch.setattr(target.jobs.page_knows, "wait", lambda seconds: pytest.fail("it is waited for"))
    with target.opened():
        job = target.jobs.add("small", small.read_bytes(), OPTIONS)
        if outcome:
            job.end(outcome)


@pytest.mark.parametrize("path", ["/", "/model", "/bench.html", "/wrongtoken/", "/wrongtoken/model"])
def test_nothing_is_there_without_the_token(small, path):
    page = Page(browser(), small)
    for method in ("GET", "HEAD", "POST"):
        assert page.ask(method, path)[0] == 404
    page.post("found", found())
    assert page.end().run


def test_nothing_is_there_but_the_page(small):
    page = Page(browser(), small)
    assert page.ask("GET", f"/{page.target.token}") == (308, b"")  # to the same with a slash
    for path in ("../secret", "..%2fsecret", "wasm/", "gone"):
        assert page.ask("GET", f"/{page.target.token}/{path}")[0] == 404
    assert page.post("anything", found())[0] == 404
    page.post("found", found())
    assert page.end().run


def test_the_first_page_is_measured_and_no_other(small):
    page = Page(browser(), small)
    page.post("job", {"page": "one"})
    for path in ("job", "word", "found", "failed"):
        status, told = page.post(path, found(page="two"))
        assert (status, told[:23]) == (409, b"another page is being m")
    assert (
        page.post("found", found(page="two") | {"load_ms": -1})[0] == 409
    )  # nor does its nonsense end the command
    page.post("found", found())
    assert page.end().run


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "the whole of it|page"),
        (b"[" * 100_000, "the whole of it"),
        (found(page=""), "page"),
    ],
)
def test_what_names_no_page_is_refused_and_the_command_waits_on(small, answer, told):
    page = Page(browser(), small)
    assert page.post("found", answer)[0] in (400, 413)
    page.post("found", found())
    assert page.end().run


@pytest.mark.parametrize(
    ("other", "told"),
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
        ({"sustained": None}, "sustained: not what was asked for"),
        ({"device": found()["device"] | {"cpu": "\x1b[2J"}}, "device.cpu: .*cannot be printed"),
        ({"device": found()["device"] | {"cpu": "x" * 301}}, "device.cpu: "),
        ({"device": found()["device"] | {"cores": True}}, "device.cores: "),
    ],
)
def test_an_answer_that_does_not_fit_ends_the_command_in_one_line(small, other, told):
    page = Page(browser(), small)
    status, said = page.post("found", found(**other))
    assert status == 400
    assert said.startswith(b"does not fit: ")
    with pytest.raises(InputError, match=rf"^browser: what the page answered does not fit \({told}.*\)$"):
        raise page.end().raised


def test_more_than_an_answer_can_have_is_not_even_read(small):
    page = Page(browser(), small)
    assert page.post("found", b" " * (65536 + 4 * 32 + 1))[0] == 413
    connection = http.client.HTTPConnection("127.0.0.1", page.target.port, timeout=10)
    connection.putrequest("POST", f"/{page.target.token}/found")
    connection.endheaders()
    assert connection.getresponse().status == 411
    page.post("found", found())
    assert page.end().run


def test_a_page_that_fails_says_why(small):
    page = Page(browser(), small)
    page.post("failed", {"page": "one", "number": 1, "failed": "Element type INT8 is not supported."})
    with pytest.raises(InputError, match=r"small.tflite: does not run on browser: Element type INT8 is not supp"):
        raise page.end().raised


def test_nobody_opens_the_page(small):
    with pytest.raises(InputError, match=r"^browser: nobody opened the address within 0 s$"):
        raise Page(browser(open_seconds=0.3), small).end().raised


def test_a_page_that_falls_silent_is_told(small):
    page = Page(browser(silent_seconds=0.3), small)
    page.post("job", {"page": "one"})
    with pytest.raises(InputError, match=r"the page said nothing for 0 s .* keep it in front and the screen on"):
        raise page.end().raised


@pytest.mark.parametrize(
    "name", ["browser:", "browser:a b", "browser:0.0.0.0:70000", "browser:0.0.0.0:x", "browser:[::]"]
)
def test_names_that_are_no_browser(name):
    with pytest.raises(
        InputError, match=r"not a browser target; write browser \(this machine\), or browser:0.0.0.0"
    ):
        Browser.parse(name)


def test_names_of_browsers():
    target = Browser.parse("browser")
    assert (target.host, target.port) == ("127.0.0.1", 0)
    target = Browser.parse("browser:0.0.0.0:8765")
    assert (target.host, target.port) == ("0.0.0.0", 8765)
    assert Browser.parse("browser").token != Browser.parse("browser").token
    assert reachable("127.0.0.1") == "127.0.0.1"
    assert reachable("0.0.0.0") != "0.0.0.0"


def test_a_taken_port_is_told(small):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        expected = r"cannot be served on port \d+ of 127.0.0.1: "
        name = f"browser:127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match=expected), target_of(name):
            pytest.fail("it is served")


def test_a_page_that_is_not_built_is_told(small, dist, capsys):
    (dist / "index.html").unlink()
    assert main(["benchmark", str(small), "--target", "browser"]) == 1
    error = capsys.readouterr().err
    assert "the page is not built yet; run `make web`" in error
    assert error.count("\n") == 1
