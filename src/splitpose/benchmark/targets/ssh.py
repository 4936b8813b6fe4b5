"""A Linux machine, e.g. a Raspberry Pi, as the target device, by the system's own ssh.

That the user's ~/.ssh/config, agent and known_hosts are used is the reason for a subprocess. One connection carries
everything, so nothing is copied with a second one, and host keys are always checked.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from splitpose.benchmark.schema import Run
from splitpose.benchmark.targets.python_device import DeviceError, run_on_python
from splitpose.benchmark.targets.target import Options
from splitpose.benchmark.tflite_operators import Input
from splitpose.errors import InputError

OPTIONS = {
    "BatchMode": "yes",  # never ask: a benchmark may run where nobody answers
    "StrictHostKeyChecking": "yes",  # also where the user's own configuration is laxer
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",  # a connection that went away without a word is noticed after 15 s
    "ServerAliveCountMax": "3",
}

SSH_FAILED, NO_SUCH_COMMAND = 255, (126, 127)

NOT_REACHED = ("resolve hostname", "refused", "timed out", "No route", "unreachable")


@dataclass(frozen=True)
class Ssh:
    """Measures there with a runner that lives in a temporary folder for as long as the connection does."""

    url: str
    destination: str
    port: int | None
    python: str

    @classmethod
    def parse(cls, url: str) -> "Ssh":
        """Of ssh://user@host[:port][/path/of/python]. Raises InputError where it is not like that."""
        parts = urlsplit(url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        destination = f"{parts.username}@{host}" if parts.username else host
        if not host or not destination or destination.startswith("-") or parts.query or parts.fragment:
            raise InputError(f"{url}: not an ssh target; write ssh://user@host[:port][/path/of/python]")
        return cls(url, destination, port, parts.path or "python3")

    @property
    def command(self) -> list[str]:
        """That connects; what is to run there comes after it."""
        words = ["ssh", "-T"]
        for key, value in OPTIONS.items():
            words += ["-o", f"{key}={value}"]
        if self.port:
            words += ["-p", str(self.port)]
        return [*words, self.destination, "--", shlex.quote(self.python)]

    def run(self, model: Path, inputs: Sequence[Input], options: Options) -> Run:
        """See Target."""
        try:
            return run_on_python(self.url, self.command, model, inputs, options, quote=shlex.quote)
        except DeviceError as failure:
            raise InputError(f"{self.url}: {self._explained(failure)}") from failure

    def _explained(self, failure: DeviceError) -> str:
        said = failure.text
        if failure.status in NO_SUCH_COMMAND:
            return (
                f"there is no {self.python} there; give its Python's path in the target, "
                "ssh://user@host/home/user/venv/bin/python"
            )
        if failure.status != SSH_FAILED:
            return failure.last_line
        if "Host key verification failed" in said or "REMOTE HOST IDENTIFICATION" in said:
            login = f"ssh -p {self.port} {self.destination}" if self.port else f"ssh {self.destination}"
            return f"its host key is not the one in known_hosts; run `{login}` once and check its fingerprint"
        if "Permission denied" in said:
            return (
                f"it lets nobody in without a password ({failure.last_line}); put your key there with ssh-copy-id"
            )
        if any(words in said for words in NOT_REACHED):
            return f"cannot be reached: {failure.last_line}"
        return f"the connection was lost: {failure.last_line}"
