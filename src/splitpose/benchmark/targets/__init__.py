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

__all__ = ["BenchmarkOptions", "Target", "open_target"]


@contextmanager
def open_target(name: str, benchmark_binary: Path | None = None) -> Iterator[Target]:
    """Yield the target device that a name denotes; it can be used only within the block.

    Args:
        name: local | ssh://user@host[:port][/path/of/python] | adb[:serial] | browser[:host[:port]].
        benchmark_binary: the benchmark_model program for adb; the default is $SPLITPOSE_BENCHMARK_BINARY.

    Raises:
        InputError: the name denotes no target.
    """
    if name == "local":
        yield Local()
    elif name.startswith("ssh://"):
        yield Ssh.parse(name)
    elif name == "adb" or name.startswith("adb:"):
        yield Adb.parse(name, benchmark_binary)
    elif name == "browser" or name.startswith("browser:"):
        with Browser.parse(name).serve() as browser:
            yield browser
    else:
        raise InputError(
            f"{name}: unknown target; use local, ssh://user@host[:port], adb[:serial] or browser[:host[:port]]"
        )
