"""A real SSH server on loopback and a fake Android device for the targets."""

import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.processes import wait_for

SUPPORT = Path(__file__).parents[1] / "support"


@dataclass
class Sshd:
    """A real sshd on loopback with separate keys."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def temporary(self) -> Path:
        """Folder for the temporary files of its sessions."""
        return self.folder / "tmp"

    def url(self, python: str = sys.executable) -> str:
        return f"ssh://{os.environ.get('USER') or 'root'}@127.0.0.1:{self.port}{python}"

    def sessions(self) -> list[int]:
        """Return the process ids of the open connections."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in children.read_text().split()]


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if not server or not shutil.which("ssh"):
        pytest.skip("sshd or ssh is missing (Debian: apt install openssh-server openssh-client)")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd does not start as root without it
    folder = tmp_path_factory.mktemp("sshd")
    (folder / "tmp").mkdir()
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "PidFile": "none",
        "AuthorizedKeysFile": folder / "user.pub",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "SetEnv": f"TMPDIR={folder / 'tmp'}",
    }
    (folder / "sshd_config").write_text("".join(f"{key} {value}\n" for key, value in config.items()))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([server, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    wait_for(lambda: "Server listening" in (folder / "log").read_text(), "sshd did not start")
    yield Sshd(port, process, folder)
    process.terminate()
    process.wait()


@pytest.fixture
def known_host(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make `ssh` read only the test's configuration; return its known_hosts file, which has the server's key."""
    known_hosts = tmp_path / "known_hosts"
    key = (sshd.folder / "host.pub").read_text()
    known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {key}")
    config = tmp_path / "ssh_config"
    config.write_text(
        f"UserKnownHostsFile {known_hosts}\nGlobalKnownHostsFile /dev/null\nIdentityFile {sshd.folder / 'user'}\n"
        "IdentitiesOnly yes\nIdentityAgent none\n"
    )
    put_on_path(tmp_path, monkeypatch, "ssh", f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
    return known_hosts


@dataclass
class Android:
    """A fake adb with Android devices; see fake_adb.py."""

    root: Path
    binary: Path

    def connect(self, **states: str) -> None:
        """Connect devices by their serials, in states as adb names them."""
        (self.root / "devices").write_text("".join(f"{serial}\t{state}\n" for serial, state in states.items()))

    @property
    def pushed(self) -> list[Path]:
        """The files on the device."""
        return list((self.root / "data/local/tmp").rglob("*"))


@pytest.fixture
def android(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Android:
    root = tmp_path / "android"
    (root / "data/local/tmp").mkdir(parents=True)
    monkeypatch.setenv("FAKE_ANDROID", str(root))
    put_on_path(tmp_path, monkeypatch, "adb", f'#!/bin/sh\nexec {sys.executable} {SUPPORT / "fake_adb.py"} "$@"\n')
    binary = tmp_path / "benchmark_model_arm64"
    binary.write_text(f"#!{sys.executable}\n" + (SUPPORT / "fake_benchmark_model.py").read_text())
    device = Android(root, binary)
    device.connect(PHONE1="device")
    return device


def put_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(script)
    (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
