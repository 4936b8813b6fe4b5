"""A Linux machine, e.g. a Raspberry Pi, as the target device, reached with the system's ssh command.

The ssh command runs in a subprocess so that the user's ~/.ssh/config, agent and known_hosts apply. All data goes
through one connection, so nothing is copied with a second one. Host keys are always checked.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from splitpose.benchmark.schema import TargetResult
from splitpose.benchmark.targets.python_device import RunnerError, run_on_python
from splitpose.benchmark.targets.target import BenchmarkOptions
from splitpose.benchmark.tflite_operators import InputSpec
from splitpose.errors import InputError

SSH_OPTIONS = {
    "BatchMode": "yes",  # never prompt: a benchmark may run unattended
    "StrictHostKeyChecking": "yes",  # even if the user's own configuration is laxer
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",  # a dead connection is noticed after 15 s
    "ServerAliveCountMax": "3",
}

SSH_FAILED = 255
"""Exit status of ssh itself."""
COMMAND_NOT_FOUND = (126, 127)
"""Exit statuses of the remote shell for a command that it cannot run."""

UNREACHABLE = ("resolve hostname", "refused", "timed out", "No route", "unreachable")
"""Parts of ssh's messages about a host that it cannot connect to."""


@dataclass(frozen=True)
class Ssh:
    """Target that runs the device runner over one ssh connection, in a temporary folder on the machine."""

    url: str
    destination: str
    port: int | None
    python: str

    @classmethod
    def parse(cls, url: str) -> "Ssh":
        """Parse ssh://user@host[:port][/path/of/python].

        Raises:
            InputError: the address has another form.
        """
        parts = urlsplit(url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        destination = f"{parts.username}@{host}" if parts.username else host
        if not host or not destination or destination.startswith("-") or parts.query or parts.fragment:
            raise InputError(f"{url}: not an ssh target; use ssh://user@host[:port][/path/of/python]")
        return cls(url, destination, port, parts.path or "python3")

    @property
    def command(self) -> list[str]:
        """The ssh command that starts Python on the machine; Python's arguments follow it."""
        words = ["ssh", "-T"]
        for key, value in SSH_OPTIONS.items():
            words += ["-o", f"{key}={value}"]
        if self.port:
            words += ["-p", str(self.port)]
        return [*words, self.destination, "--", shlex.quote(self.python)]

    def run(self, model: Path, inputs: Sequence[InputSpec], options: BenchmarkOptions) -> TargetResult:
        """Measure a file as described in `Target.run`."""
        try:
            return run_on_python(self.url, self.command, model, inputs, options, quote=shlex.quote)
        except RunnerError as error:
            raise InputError(f"{self.url}: {self._explain(error)}") from error

    def _explain(self, error: RunnerError) -> str:
        """Return the cause of the failure and a remedy."""
        if error.status in COMMAND_NOT_FOUND:
            return (
                f"there is no {self.python} on the machine; specify the path of its Python in the target, "
                "ssh://user@host/home/user/venv/bin/python"
            )
        if error.status != SSH_FAILED:
            return error.last_line
        if "Host key verification failed" in error.output or "REMOTE HOST IDENTIFICATION" in error.output:
            login = f"ssh -p {self.port} {self.destination}" if self.port else f"ssh {self.destination}"
            return f"the host key is not the one in known_hosts; run `{login}` once and check its fingerprint"
        if "Permission denied" in error.output:
            return f"login without a password was denied ({error.last_line}); copy your key with ssh-copy-id"
        if any(message in error.output for message in UNREACHABLE):
            return f"cannot be reached: {error.last_line}"
        return f"the connection was lost: {error.last_line}"
