"""Devices that TFLite files are measured on: this machine, Linux by ssh, Android by adb, any browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from splitpose.benchmark.targets.adb import Adb
from splitpose.benchmark.targets.browser import Browser
from splitpose.benchmark.targets.local import Local
from splitpose.benchmark.targets.ssh import Ssh
from splitpose.benchmark.targets.target import Options, Target
from splitpose.errors import InputError

__all__ = ["Options", "Target", "target_of"]


@contextmanager
def target_of(name: str, benchmark_binary: Path | None = None) -> Iterator[Target]:
    """The device of that name, for as long as the block lasts.

    It is local | ssh://user@host[:port][/path/of/python] | adb[:serial] | browser[:host[:port]].

    `benchmark_binary` is the benchmark_model program that adb takes to the device; by default the environment names
    it (SPLITPOSE_BENCHMARK_BINARY).

    Raises InputError where there is no such kind of device.
    """
    if name == "local":
        yield Local()
    elif name.startswith("ssh://"):
        yield Ssh.parse(name)
    elif name == "adb" or name.startswith("adb:"):
        yield Adb.parse(name, benchmark_binary)
    elif name == "browser" or name.startswith("browser:"):
        with Browser.parse(name).opened() as browser:
            yield browser
    else:
        raise InputError(
            f"{name}: no such target; it is local, ssh://user@host[:port], adb[:serial] or browser[:host[:port]]"
        )
