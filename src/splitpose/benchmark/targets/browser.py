"""A browser as the target device: the page of web/ measures the files and posts what it found.

The page comes from this machine, by default on loopback only; a phone that can reach it needs neither a cable nor a
program. Its address holds a token that is good for one command, and for the first page that asks with it.
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

from splitpose.benchmark.schema import Device, Run, Sustained
from splitpose.benchmark.targets import messages
from splitpose.benchmark.targets.jobs import Job, Jobs
from splitpose.benchmark.targets.python_device import latency
from splitpose.benchmark.targets.target import Options
from splitpose.benchmark.tflite_operators import Input
from splitpose.errors import InputError
from splitpose.progress import bar
from splitpose.web import static_server

LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"
NAME = re.compile(r"browser(?::(?P<host>[\w.-]+)(?::(?P<port>\d{1,5}))?)?")
TOKEN_LETTERS, TOKEN_LENGTH = "abcdefghjkmnpqrstuvwxyz23456789", 10
"""Of about 50 bits, which nobody guesses while a command runs, and which can be typed on a phone."""
POSTS: dict[str, type[messages.Word]] = {
    "/job": messages.Word,
    "/word": messages.Progress,
    "/found": messages.Found,
    "/failed": messages.Failed,
}
"""What a page may post, and where."""
LENGTH = re.compile(r"[0-9]{1,9}")


@dataclass
class Browser:
    """Measures in the first page that opens the address, from `opened` on."""

    name: str
    host: str
    port: int
    open_seconds: float = 600.0
    """How long the page may take to be opened."""
    silent_seconds: float = 30.0
    """How long it may then say nothing; it says a word every other second."""
    token: str = field(default_factory=lambda: "".join(secrets.choice(TOKEN_LETTERS) for _ in range(TOKEN_LENGTH)))
    visitor: str | None = None
    """The page that is measured."""
    jobs: Jobs = field(default_factory=Jobs)

    @classmethod
    def parse(cls, name: str) -> "Browser":
        """Of browser[:HOST[:PORT]]. Raises InputError where it is not like that, or where there is no page."""
        parts = NAME.fullmatch(name)
        if not parts or int(parts["port"] or 0) > 65535:
            raise InputError(
                f"{name}: not a browser target; write browser (this machine), or browser:{EVERYWHERE}[:PORT] to be "
                "reached from the network"
            )
        static_server.built()
        return cls(name, parts["host"] or LOOPBACK, int(parts["port"] or 0))

    @contextmanager
    def opened(self) -> Iterator["Browser"]:
        """The page is served, and waits for files to measure, as long as the block lasts."""
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

    def run(self, model: Path, inputs: Sequence[Input], options: Options) -> Run:
        """See Target; the page makes the inputs itself. The first time, its address is printed."""
        if not self.jobs.latest:
            address = f"http://{reachable(self.host)}:{self.port}/{self.token}/"
            print(f"open {address} in the browser to be measured", flush=True)
        job = self.jobs.add("/".join(model.parts[-2:]), model.read_bytes(), options)
        return self._run(self._waited_for(job, model), options.sustained_seconds)

    def _waited_for(self, job: Job, model: Path) -> messages.Found:
        """What the page finds. Raises InputError where none comes, it goes away, fails, or answers nonsense."""
        total = len(job.options.threads) * (job.options.warmup_runs + job.options.runs)
        with bar("runs") as progress:
            task = progress.add_task(job.name, total=total)
            while not job.ended.wait(0.1):
                progress.update(task, completed=min(job.done, total))
                silent = time.monotonic() - self.jobs.last_word
                if self.visitor is None and silent > self.open_seconds:
                    raise InputError(f"{self.name}: nobody opened the address within {self.open_seconds:.0f} s")
                if self.visitor is not None and silent > self.silent_seconds:
                    raise InputError(
                        f"{self.name}: the page said nothing for {self.silent_seconds:.0f} s while it had {model}; "
                        "keep it in front and the screen on, and run this again"
                    )
            if isinstance(job.outcome, str):
                raise InputError(f"{self.name}: what the page answered does not fit ({job.outcome})")
            if isinstance(job.outcome, messages.Failed):
                raise InputError(f"{model}: does not run on {self.name}: {job.outcome.failed}")
            assert job.outcome is not None  # it has ended
            progress.update(task, completed=total)
        return job.outcome

    def _run(self, found: messages.Found, seconds: float) -> Run:
        first_fifth, last_fifth = found.sustained.fifths_ms if found.sustained else (0.0, 0.0)
        return Run(
            device=Device(target=self.name, delegate="XNNPACK", **found.device.model_dump()),
            by_threads=[latency(each.threads, each.samples_ms) for each in found.by_threads],
            load_ms=found.load_ms,
            first_run_ms=found.first_run_ms,
            fully_delegated=found.fully_delegated,
            delegate_parts=1 if found.fully_delegated else None,
            sustained=Sustained(
                seconds=seconds,
                runs=found.sustained.runs,
                first_fifth_p50_ms=first_fifth,
                last_fifth_p50_ms=last_fifth,
                slowdown=round(last_fifth / first_fifth, 3) if first_fifth else 1.0,
            )
            if found.sustained
            else None,
            profile=[],
            profile_missing="a browser shows no profile of the runtime",
        )


class Handler(static_server.Handler):
    """Serves the page and jobs below the token's address, and takes what the page posts there; nothing else."""

    def __init__(self, *arguments: Any, target: Browser):
        self.target = target
        self.jobs = target.jobs
        super().__init__(*arguments, directory=str(static_server.DIST))

    def do_GET(self) -> None:  # noqa: N802, http.server's name
        """A file of the page, or the model."""
        if not self._admitted():
            return
        job = self.jobs.current
        if job and self.path == "/model":
            self._reply(200, "application/octet-stream", job.model)
            return
        self.path = "/bench.html" if self.path == "/" else self.path
        super().do_GET()

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:  # noqa: N802
        """What the page says: it wants a job, it is at work, it is done, it has failed."""
        if not self._admitted():
            return
        kind = POSTS.get(self.path)
        length = LENGTH.fullmatch(self.headers.get("Content-Length", ""))
        if kind is None:
            self._tell(404, "nothing is taken here")
        elif length is None:
            self._tell(411, "how long is it?")
        elif int(length[0]) > self._most_bytes():
            self._tell(413, "more than an answer can have")
        else:
            self._take(kind, self.rfile.read(int(length[0])))

    def _take(self, kind: type[messages.Word], content: bytes) -> None:
        try:
            if not self._is_the_visitor(messages.read(messages.Sender, content).page):
                self._tell(409, "another page is being measured; start the command again for this one")
                return
        except ValueError as error:
            self._tell(400, f"does not fit: {error}")
            return
        self.jobs.last_word = time.monotonic()
        job = self.jobs.current
        try:
            post = messages.read(kind, content)
            if job and isinstance(post, messages.Found):
                messages.check(post, job.options)
        except ValueError as error:
            self._tell(400, f"does not fit: {error}")
            if job:
                job.end(str(error))
            return
        if isinstance(post, messages.Progress | messages.Found | messages.Failed):
            self._hear(post, job)
        else:
            self._give_job()

    def _hear(self, post: messages.Progress | messages.Found | messages.Failed, job: Job | None) -> None:
        """How a job goes, or how it went."""
        if job is None or post.number != job.number:
            self._tell(409, "that was another job")
            return
        if isinstance(post, messages.Progress):
            job.done = post.done
        if isinstance(post, messages.Found):
            job.end(post)  # before the reply, after which the page asks for another
        self._reply(204)
        if isinstance(post, messages.Failed):
            job.end(post)  # after the reply, as the command ends then

    def _give_job(self) -> None:
        """The next job, null where there are no more, nothing where the page should ask again."""
        job = self.jobs.awaited()
        if job:
            self._reply(200, "application/json", json.dumps(job.content).encode())
        elif self.jobs.is_over:
            self._reply(200, "application/json", b"null")
            self.jobs.page_knows.set()
        else:
            self._reply(204)

    def _most_bytes(self) -> int:
        """That a post may have now."""
        job = self.jobs.current
        return messages.most_bytes(job.options) if job else messages.BYTES_OF_THE_REST

    def _is_the_visitor(self, name: str) -> bool:
        self.target.visitor = self.target.visitor or name
        return secrets.compare_digest(self.target.visitor.encode(), name.encode())

    def _admitted(self) -> bool:
        """Whether the address begins with the token, which is then taken off it."""
        token, slash, rest = self.path[1:].partition("/")
        if not secrets.compare_digest(token.encode(), self.target.token.encode()):
            self._tell(404, "nothing is here")
            return False
        if not slash:  # typed without it; the page's own addresses are relative to it
            self.send_response(308)
            self.send_header("Location", f"/{token}/")
            self.end_headers()
            return False
        self.path = "/" + rest.split("?")[0]
        return True

    def _tell(self, status: int, text: str) -> None:
        self._reply(status, "text/plain; charset=utf-8", text.encode())

    def _reply(self, status: int, kind: str = "", content: bytes = b"") -> None:
        self.send_response(status)
        if content:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def reachable(host: str) -> str:
    """The host as others in the network call it."""
    if host != EVERYWHERE:
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; tells which of our addresses leads out
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
