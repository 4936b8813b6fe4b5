"""Target devices of the benchmark: this machine, Linux by ssh, Android by adb, or any browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from splitpose.benchmark.targets.adb import Adb
from splitpose.benchmark.targets.browser import Browser
from splitpose.benchmark.targets.local import Local
from splitpose.benchmark.targets.ssh import Ssh
from splitpose.benchmark.targets.target import BenchmarkOptions, Target
from splitpose.errors import InputError

__all__ = ["BenchmarkOptions", "Target", "open_target", "parse_target"]


def parse_target(name: str, benchmark_binary: Path | None = None) -> Local | Ssh | Adb | Browser:
    """Return the target device that a name denotes, without connecting to it; see `open_target`.

    Raises:
        InputError: the name denotes no target, or something that it requires on this machine is missing.
    """
    if name == "local":
        return Local()
    if name.startswith("ssh://"):
        return Ssh.parse(name)
    if name == "adb" or name.startswith("adb:"):
        return Adb.parse(name, benchmark_binary)
    if name == "browser" or name.startswith("browser:"):
        return Browser.parse(name)
    raise InputError(
        f"{name}: unknown target; use local, ssh://user@host[:port], adb[:serial] or browser[:host[:port]]"
    )


@contextmanager
def open_target(name: str, benchmark_binary: Path | None = None) -> Iterator[Target]:
    """Yield the target device that a name denotes; it can be used only within the block.

    Args:
        name: local | ssh://user@host[:port][/path/of/python] | adb[:serial] | browser[:host[:port]].
        benchmark_binary: the benchmark_model program for adb; the default is $SPLITPOSE_BENCHMARK_BINARY.

    Raises:
        InputError: see `parse_target`.
    """
    target = parse_target(name, benchmark_binary)
    if isinstance(target, Browser):
        with target.serve():
            yield target
    else:
        yield target
