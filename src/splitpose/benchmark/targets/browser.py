"""A browser as the target device: the page of web/ measures the files and posts the results.

This machine serves the page, by default on loopback only; a phone on the same network needs neither a cable nor an
installation. The page's URL contains a token, which is valid for one command and only for the first page that posts
a message.
"""

import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from splitpose.benchmark.schema import Device, TargetResult
from splitpose.benchmark.targets import messages
from splitpose.benchmark.targets.jobs import Job, Jobs
from splitpose.benchmark.targets.latency_statistics import compare_fifths, summarise_latency
from splitpose.benchmark.targets.target import BenchmarkOptions
from splitpose.benchmark.tflite_operators import InputSpec
from splitpose.errors import InputError
from splitpose.progress import bar
from splitpose.web import static_server

LOOPBACK, ALL_INTERFACES = "127.0.0.1", "0.0.0.0"
TARGET_NAME = re.compile(r"browser(?::(?P<host>[\w.-]+)(?::(?P<port>\d{1,5}))?)?")
TOKEN_LETTERS, TOKEN_LENGTH = "abcdefghjkmnpqrstuvwxyz23456789", 10
"""About 50 bits: infeasible to guess while a command runs, and short enough to type on a phone."""
MESSAGES: dict[str, type[messages.Message]] = {
    "/job": messages.Message,
    "/progress": messages.Progress,
    "/result": messages.JobResult,
    "/failure": messages.JobFailure,
}
"""Paths that the page may post to, and the type of message that each accepts."""
CONTENT_LENGTH = re.compile(r"[0-9]{1,9}")


@dataclass
class Browser:
    """Target that measures in the first page that opens the URL; `serve` starts the server."""

    name: str
    host: str
    port: int
    open_seconds: float = 600.0
    """Maximum time until the page is opened, s."""
    silent_seconds: float = 30.0
    """Maximum time between two messages of the page, which reports its progress every 2 s."""
    token: str = field(default_factory=lambda: "".join(secrets.choice(TOKEN_LETTERS) for _ in range(TOKEN_LENGTH)))
    page: str | None = None
    """Id of the page that measures."""
    jobs: Jobs = field(default_factory=Jobs)

    @classmethod
    def parse(cls, name: str) -> "Browser":
        """Parse browser[:HOST[:PORT]].

        Raises:
            InputError: the name has another form, or the page has not been built.
        """
        parts = TARGET_NAME.fullmatch(name)
        if not parts or int(parts["port"] or 0) > 65535:
            raise InputError(
                f"{name}: not a browser target; use browser (this machine) or browser:{ALL_INTERFACES}[:PORT] "
                "(any device on the network)"
            )
        static_server.page_folder()
        return cls(name, parts["host"] or LOOPBACK, int(parts["port"] or 0))

    @contextmanager
    def serve(self) -> Iterator["Browser"]:
        """Serve the page as long as the block lasts."""
        try:
            server = static_server.Server((self.host, self.port), partial(Handler, target=self))
        except (OSError, OverflowError) as error:
            raise InputError(
                f"{self.name}: cannot be served on port {self.port} of {self.host}: {error}"
            ) from error
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            self.port = server.server_port
            yield self
        finally:
            self.jobs.close()
            server.shutdown()
            thread.join()
            server.server_close()

    def run(self, model: Path, inputs: Sequence[InputSpec], options: BenchmarkOptions) -> TargetResult:
        """Measure a file as described in `Target.run`; the page generates the inputs.

        The first call prints the page's address.
        """
        if not self.jobs.latest:
            address = f"http://{reachable_host(self.host)}:{self.port}/{self.token}/"
            print(f"open {address} in the browser to be measured", flush=True)
        job = self.jobs.add("/".join(model.parts[-2:]), model.read_bytes(), options)
        return self._target_result(self._wait_for(job, model), options.sustained_seconds)

    def _wait_for(self, job: Job, model: Path) -> messages.JobResult:
        """Wait for a job's result and show its progress.

        Raises:
            InputError: the page is not opened, stops sending messages, fails, or sends an invalid message.
        """
        total = len(job.options.threads) * (job.options.warmup_runs + job.options.runs)
        with bar("runs") as progress:
            task = progress.add_task(job.name, total=total)
            while not job.ended.wait(0.1):
                progress.update(task, completed=min(job.completed_runs, total))
                self._check_activity(model)
            if isinstance(job.outcome, str):
                raise InputError(f"{self.name}: the page sent an invalid message ({job.outcome})")
            if isinstance(job.outcome, messages.JobFailure):
                raise InputError(f"{model}: does not run on {self.name}: {job.outcome.error}")
            assert job.outcome is not None  # it has ended
            progress.update(task, completed=total)
        return job.outcome

    def _check_activity(self, model: Path) -> None:
        """Raise InputError if the page is not opened or sends no messages in time."""
        silent = time.monotonic() - self.jobs.last_activity
        if self.page is None and silent > self.open_seconds:
            raise InputError(f"{self.name}: the address was not opened within {self.open_seconds:.0f} s")
        if self.page is not None and silent > self.silent_seconds:
            raise InputError(
                f"{self.name}: the page sent no message for {self.silent_seconds:.0f} s while it measured {model}; "
                "keep it in the foreground and the screen on, and run the benchmark again"
            )

    def _target_result(self, result: messages.JobResult, sustained_seconds: float) -> TargetResult:
        """Convert the page's result."""
        sustained = result.sustained
        return TargetResult(
            device=Device(target=self.name, delegate="XNNPACK", **result.device.model_dump()),
            by_threads=[summarise_latency(samples.threads, samples.samples_ms) for samples in result.by_threads],
            load_ms=result.load_ms,
            first_run_ms=result.first_run_ms,
            fully_delegated=result.fully_delegated,
            delegate_partitions=1 if result.fully_delegated else None,
            sustained=compare_fifths(sustained_seconds, sustained.runs, *sustained.fifths_ms)
            if sustained
            else None,
            operator_timings=[],
            operator_timings_missing="a browser has no profiler of the runtime",
        )


class Handler(static_server.Handler):
    """Serves the page and the current model below the token's path, and receives the page's messages."""

    def __init__(self, *arguments: Any, target: Browser):
        self.target = target
        self.jobs = target.jobs
        super().__init__(*arguments, directory=str(static_server.DIST))

    def do_GET(self) -> None:  # noqa: N802, http.server's name
        """Send a file of the page, or the current job's model."""
        if not self._is_authorized():
            return
        job = self.jobs.current
        if job and self.path == "/model":
            self._reply(200, "application/octet-stream", job.model)
            return
        self.path = "/benchmark.html" if self.path == "/" else self.path
        super().do_GET()

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:  # noqa: N802
        """Receive a message of the page: a request for a job, its progress, its result or its failure."""
        if not self._is_authorized():
            return
        kind = MESSAGES.get(self.path)
        length = CONTENT_LENGTH.fullmatch(self.headers.get("Content-Length", ""))
        if kind is None:
            self._reply_text(404, "no messages are accepted here")
        elif length is None:
            self._reply_text(411, "the length of the message is missing")
        elif int(length[0]) > self._max_bytes():
            self._reply_text(413, "the message is too large")
        else:
            self._receive(kind, self.rfile.read(int(length[0])))

    def _receive(self, kind: type[messages.Message], content: bytes) -> None:
        try:
            if not self._is_measured_page(messages.parse(messages.Sender, content).page):
                self._reply_text(409, "another page is already measured; start the command again for this one")
                return
        except ValueError as error:
            self._reply_text(400, f"invalid message: {error}")
            return
        self.jobs.last_activity = time.monotonic()
        job = self.jobs.current
        try:
            message = messages.parse(kind, content)
            if job and isinstance(message, messages.JobResult):
                messages.check_result(message, job.options)
        except ValueError as error:
            self._reply_text(400, f"invalid message: {error}")
            if job:
                job.end(str(error))
            return
        if isinstance(message, messages.Progress | messages.JobResult | messages.JobFailure):
            self._update_job(message, job)
        else:
            self._send_job()

    def _update_job(
        self, message: messages.Progress | messages.JobResult | messages.JobFailure, job: Job | None
    ) -> None:
        """Apply the page's progress, result or failure to its job."""
        if job is None or message.number != job.number:
            self._reply_text(409, "this is not the current job")
            return
        if isinstance(message, messages.Progress):
            job.completed_runs = message.completed_runs
        if isinstance(message, messages.JobResult):
            job.end(message)  # before the reply, after which the page requests another job
        self._reply(204)
        if isinstance(message, messages.JobFailure):
            job.end(message)  # after the reply, because the command then exits

    def _send_job(self) -> None:
        """Send the next job, null if there are no more, or nothing if the page has to request it again."""
        job = self.jobs.wait()
        if job:
            self._reply(200, "application/json", json.dumps(job.as_message()).encode())
        elif self.jobs.is_closed:
            self._reply(200, "application/json", b"null")
            self.jobs.page_informed.set()
        else:
            self._reply(204)

    def _max_bytes(self) -> int:
        job = self.jobs.current
        return messages.max_bytes(job.options) if job else messages.MAX_BYTES_WITHOUT_SAMPLES

    def _is_measured_page(self, page: str) -> bool:
        """Return whether a message is from the page that measures, which is the first that sent one."""
        self.target.page = self.target.page or page
        return secrets.compare_digest(self.target.page.encode(), page.encode())

    def _is_authorized(self) -> bool:
        """Return whether the path begins with the token, and remove it from the path."""
        token, slash, rest = self.path[1:].partition("/")
        if not secrets.compare_digest(token.encode(), self.target.token.encode()):
            self._reply_text(404, "not found")
            return False
        if not slash:  # typed without the slash, which the page's relative addresses require
            self.send_response(308)
            self.send_header("Location", f"/{token}/")
            self.end_headers()
            return False
        self.path = "/" + rest.split("?")[0]
        return True

    def _reply_text(self, status: int, text: str) -> None:
        self._reply(status, "text/plain; charset=utf-8", text.encode())

    def _reply(self, status: int, content_type: str = "", content: bytes = b"") -> None:
        self.send_response(status)
        if content:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def reachable_host(host: str) -> str:
    """Return the address at which other devices on the network reach a host."""
    if host != ALL_INTERFACES:
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing, but selects the outgoing interface
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
