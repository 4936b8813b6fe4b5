"""Devices that TFLite files are measured on: this machine, Linux by ssh, Android by adb, any browser."""

from pathlib import Path

from splitpose.deploy.targets.adb import Adb
from splitpose.deploy.targets.browser import Browser
from splitpose.deploy.targets.local import Local
from splitpose.deploy.targets.ssh import Ssh
from splitpose.deploy.targets.target import Options, Target
from splitpose.errors import InputError

__all__ = ["Options", "Target", "target_of"]


def target_of(name: str, benchmark_binary: Path | None = None) -> Target:
    """The device of that name.

    It is local | ssh://user@host[:port][/path/of/python] | adb[:serial] | browser[:host[:port]].

    `benchmark_binary` is the benchmark_model program that adb takes to the device; by default the environment names
    it (SPLITPOSE_BENCHMARK_BINARY).

    Raises InputError where there is no such kind of device.
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
        f"{name}: no such target; it is local, ssh://user@host[:port], adb[:serial] or browser[:host[:port]]"
    )
