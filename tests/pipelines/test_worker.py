"""The supervision of the worker, with real processes in place of Prefect's worker."""

import sys

import httpx
import psutil
import pytest
from support.receiver import running_receiver

from pipelines import worker
from pipelines.server import running_process
from pipelines.worker import supervise
from splitpose.errors import InputError

pytestmark = pytest.mark.integration


class StubMonitor:
    """Records reports; `check` calls a function."""

    def __init__(self, check=lambda: None):
        self.check, self.reported, self.restarts = check, [], 0

    def report(self, key, name, text):
        self.reported.append((name, text))

    def restart(self):
        self.restarts += 1


def running(code):
    return lambda: running_process([sys.executable, "-c", code], {})


def test_a_worker_that_ends_is_restarted_a_limited_number_of_times():
    monitor, lines = StubMonitor(), []
    with pytest.raises(InputError, match="the worker ended with status 3, after 2 restarts within an hour"):
        supervise(running("raise SystemExit(3)"), monitor, lines.append, max_restarts=2, restart_delay=0.0)
    assert lines == ["the worker ended with status 3; it is restarted in 0 s"] * 2
    restarted = "the worker ended with status 3; it is restarted in 0 s"
    given_up = "the worker ended with status 3; it is not restarted again"
    assert monitor.reported == [("worker", restarted)] * 2 + [("worker", given_up)]


def test_a_killed_worker_is_restarted_and_its_run_is_stopped_at_the_end(monkeypatch):
    monkeypatch.setattr(worker, "CHECK_INTERVAL", 0.0)
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).wait()"
    workers, runs = [], []

    def check():
        (current,) = [one for one in psutil.Process().children() if code in one.cmdline()]
        if not (children := current.children()):
            return
        runs.extend(children)
        workers.append(current)
        if len(workers) == 2:
            current.kill()
        if len(workers) == 4:
            raise SystemExit(143)  # as the handler of SIGTERM does

    with pytest.raises(SystemExit):
        supervise(running(code), StubMonitor(check), print, restart_delay=0.0)
    assert len(set(workers)) == 2
    assert len(set(runs)) == 2
    assert not any(one.is_running() for one in runs)


def test_our_own_server_that_does_not_answer_is_reported_once(monkeypatch):
    monkeypatch.setattr(worker, "CHECK_INTERVAL", 0.0)
    monkeypatch.setattr(worker, "SERVER_TIMEOUT", 0.5)

    def check():
        raise httpx.ConnectError("refused")

    monitor, lines = StubMonitor(check), []
    with running_receiver() as receiver:
        monkeypatch.setenv("SPLITPOSE_WEBHOOK", receiver.url)
        with pytest.raises(InputError, match="the Prefect server has not answered"):
            supervise(running("import time; time.sleep(600)"), monitor, lines.append, own_server=True)
    (posted,) = receiver.posted
    assert posted["alert"] == "server"
    assert lines == ["the Prefect server does not answer (ConnectError)"]
    assert monitor.restarts
