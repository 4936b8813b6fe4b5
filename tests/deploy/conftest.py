"""Small TFLite files with every operator whose multiply-adds are counted, and the three kinds of devices."""

import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from deploy.processes import wait_for

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def convert(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a TFLite file of a function and its inputs' (shape, dtype)."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("tflite")

    def convert(name: str, function: Callable[..., object], *inputs: tuple[tuple[int, ...], str]) -> Path:
        signature = [tf.TensorSpec(shape, dtype) for shape, dtype in inputs]
        concrete = tf.function(function, autograph=False).get_concrete_function(*signature)
        path = folder / f"{name}.tflite"
        path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())
        return path

    return convert


@pytest.fixture(scope="session")
def small(convert: Callable[..., Path]) -> Path:
    """Convolution, depthwise, transposed convolution and a fully connected layer; a delegate takes all of it."""
    import tensorflow as tf

    def weights(*shape: int) -> np.ndarray:
        return np.random.default_rng(0).normal(size=shape).astype(np.float32)

    def function(picture: tf.Tensor) -> tf.Tensor:
        x = tf.nn.conv2d(picture, weights(3, 3, 3, 4), strides=2, padding="SAME")
        x = tf.nn.depthwise_conv2d(x, weights(3, 3, 4, 1), (1, 1, 1, 1), "SAME")
        x = tf.nn.conv2d_transpose(x, weights(2, 2, 2, 4), (1, 8, 8, 2), strides=2)
        return tf.reshape(x, (1, 128)) @ weights(128, 5)

    return convert("small", function, ((1, 8, 8, 3), "float32"))


@pytest.fixture(scope="session")
def two_inputs(convert: Callable[..., Path]) -> Path:
    """A table looked up by an int32, and a uint8 picture; XNNPACK takes neither GATHER nor this CAST."""
    import tensorflow as tf

    def function(place: tf.Tensor, picture: tf.Tensor) -> tf.Tensor:
        row = tf.gather(tf.constant([[0.5, 1.5], [2.5, 3.5]]), place)
        return tf.sin(tf.cast(picture, tf.float32)) + row

    return convert("two_inputs", function, ((1,), "int32"), ((3, 2), "uint8"))


@dataclass
class Sshd:
    """A real sshd on loopback with keys of its own."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def temporary(self) -> Path:
        """Where its sessions put temporary files."""
        return self.folder / "tmp"

    def url(self, python: str = sys.executable) -> str:
        return f"ssh://{os.environ.get('USER') or 'root'}@127.0.0.1:{self.port}{python}"

    def sessions(self) -> list[int]:
        """Processes of the open connections."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in children.read_text().split()]


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if not server or not shutil.which("ssh"):
        pytest.skip("no sshd and ssh here (Debian: apt install openssh-server openssh-client)")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd does not start as root without it
    folder = tmp_path_factory.mktemp("sshd")
    (folder / "tmp").mkdir()
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
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
    """`ssh` reads only the test's configuration, whose known_hosts, returned, has the server's key."""
    known_hosts = tmp_path / "known_hosts"
    key = (sshd.folder / "host.pub").read_text()
    known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {key}")
    config = tmp_path / "ssh_config"
    config.write_text(
        f"UserKnownHostsFile {known_hosts}\nGlobalKnownHostsFile /dev/null\nIdentityFile {sshd.folder / 'user'}\n"
        "IdentitiesOnly yes\nIdentityAgent none\n"
    )
    on_path(tmp_path, monkeypatch, "ssh", f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
    return known_hosts


@dataclass
class Android:
    """The stand-in for adb and an Android device, see fake_adb.py."""

    root: Path
    binary: Path

    def connected(self, **states: str) -> None:
        """Serials of the devices that are plugged in, and their states as adb names them."""
        (self.root / "devices").write_text("".join(f"{serial}\t{state}\n" for serial, state in states.items()))

    @property
    def pushed(self) -> list[Path]:
        """What lies on the device."""
        return list((self.root / "data/local/tmp").rglob("*"))


@pytest.fixture
def android(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Android:
    root = tmp_path / "android"
    (root / "data/local/tmp").mkdir(parents=True)
    monkeypatch.setenv("FAKE_ANDROID", str(root))
    on_path(tmp_path, monkeypatch, "adb", f'#!/bin/sh\nexec {sys.executable} {HERE / "fake_adb.py"} "$@"\n')
    binary = tmp_path / "benchmark_model_arm64"
    binary.write_text(f"#!{sys.executable}\n" + (HERE / "fake_benchmark_model.py").read_text())
    device = Android(root, binary)
    device.connected(PHONE1="device")
    return device


def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(script)
    (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
