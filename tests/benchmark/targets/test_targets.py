"""What every kind of device has to do, and what each does where something is wrong."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from support.processes import running_in, wait_for

from splitpose.benchmark.targets import Options, target_of
from splitpose.benchmark.tflite_operators import content
from splitpose.cli import main
from splitpose.errors import InputError


@pytest.fixture(params=["local", "ssh", "adb"])
def device(request, tmp_path, monkeypatch):
    """A device's name, its benchmark_model program, and what gives the files that are left on it."""
    if request.param == "ssh":
        sshd = request.getfixturevalue("sshd")
        request.getfixturevalue("known_host")
        return sshd.url(), None, lambda: list(sshd.temporary.iterdir())
    if request.param == "adb":
        android = request.getfixturevalue("android")
        return "adb", android.binary, lambda: android.pushed
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return "local", None, lambda: list(folder.iterdir())


def run(name, model, options, binary=None):
    with target_of(name, binary) as target:
        return target.run(model, content(model).inputs, options)


def test_a_device_measures_a_file_and_is_left_as_it_was(device, small):
    name, binary, left = device
    found = run(name, small, Options(threads=(1, 2), runs=9, warmup_runs=2, sustained_seconds=0.2), binary)
    assert [latency.threads for latency in found.by_threads] == [1, 2]
    assert [latency.runs for latency in found.by_threads] == [9, 9]
    for latency in found.by_threads:
        assert 0 < latency.p50_ms <= latency.p95_ms
    assert found.load_ms > 0
    assert found.first_run_ms > 0
    assert found.delegate_parts >= 1
    assert found.profile
    assert found.sustained.runs >= 5
    assert found.sustained.slowdown > 0
    assert found.device.target == name
    assert found.device.cores >= 1
    assert found.device.cpu
    assert left() == []


def test_a_file_that_does_not_run_there_is_named(device, small, tmp_path):
    name, binary, left = device
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"nothing")
    if name == "adb":
        (tmp_path / "android" / "broken").touch()
    expected = r"^[^\n]*broken.tflite[^\n]*$"
    with target_of(name, binary) as target, pytest.raises(InputError, match=expected):
        target.run(broken, content(small).inputs, Options(runs=2))
    assert left() == []


class TestSsh:
    def test_a_cut_connection_leaves_nothing_there(self, sshd, known_host, small):
        raised = self.in_a_thread(sshd, small)
        for session in sshd.sessions():
            os.kill(session, signal.SIGKILL)
        wait_for(lambda: bool(raised), "the command went on")
        assert "the connection was lost" in str(raised[0])
        assert str(raised[0]).count("\n") == 0
        wait_for(lambda: not list(sshd.temporary.iterdir()), "its folder is still there")
        wait_for(lambda: not running_in(sshd.temporary), "its processes are still there")

    def in_a_thread(self, sshd, small):
        raised = []

        def measure():
            try:
                run(sshd.url(), small, Options(sustained_seconds=60))
            except InputError as error:
                raised.append(error)

        threading.Thread(target=measure, daemon=True).start()
        wait_for(lambda: bool(running_in(sshd.temporary)), "it did not start there")
        return raised

    def test_a_killed_command_leaves_nothing_there(self, sshd, known_host, small):
        code = "import sys; from splitpose.cli import main; sys.exit(main(sys.argv[1:]))"
        words = ["benchmark", str(small), "--target", sshd.url(), "--sustained", "60"]
        process = subprocess.Popen([sys.executable, "-c", code, *words])
        wait_for(lambda: bool(running_in(sshd.temporary)), "it did not start there")
        process.kill()
        process.wait()
        wait_for(lambda: not list(sshd.temporary.iterdir()), "its folder is still there")
        wait_for(lambda: not running_in(sshd.temporary), "its processes are still there")

    def test_an_unknown_host_key_is_refused(self, sshd, known_host, small):
        known_host.write_text("")
        with pytest.raises(InputError, match=rf"its host key is not .* `ssh -p {sshd.port} \w+@127.0.0.1` once"):
            run(sshd.url(), small, Options())

    def test_another_host_key_is_refused_whatever_the_configuration_says(self, sshd, known_host, small):
        key = (sshd.folder / "user.pub").read_text()
        known_host.write_text(f"[127.0.0.1]:{sshd.port} {key}")
        config = known_host.parent / "ssh_config"
        config.write_text("StrictHostKeyChecking no\n" + config.read_text())
        with pytest.raises(InputError, match=r"its host key is not the one in known_hosts"):
            run(sshd.url(), small, Options())

    def test_who_has_no_key_is_told(self, sshd, known_host, small):
        config = known_host.parent / "ssh_config"
        config.write_text(config.read_text().replace(str(sshd.folder / "user"), "/dev/null"))
        with pytest.raises(InputError, match=r"lets nobody in without a password.*ssh-copy-id"):
            run(sshd.url(), small, Options())

    def test_no_python_there(self, sshd, known_host, small):
        with pytest.raises(InputError, match=r"there is no /no/python there; give its Python's path"):
            run(sshd.url("/no/python"), small, Options())

    def test_a_python_without_packages_there(self, sshd, known_host, small, tmp_path):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
        python = str(tmp_path / "venv" / "bin" / "python")
        expected = rf"has no numpy; run `{python} -m pip install numpy ai-edge-litert` there"
        with pytest.raises(InputError, match=expected):
            run(sshd.url(python), small, Options())

    def test_nobody_answers(self, small, capsys):
        words = ["benchmark", str(small), "--target", "ssh://root@127.0.0.1:9"]
        assert main(words) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: ssh://root@127.0.0.1:9: cannot be reached: ")
        assert error.count("\n") == 1

    def test_no_ssh_here(self, small, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(InputError, match=r"ssh: there is no such program here"):
            run("ssh://root@127.0.0.1:9", small, Options())


class TestAdb:
    def test_figures_are_those_that_the_program_prints(self, android, small):
        found = run("adb:PHONE1", small, Options(threads=(1, 2), runs=30, sustained_seconds=2), android.binary)
        assert [(each.p50_ms, each.p95_ms) for each in found.by_threads] == [(4.0, 4.5), (2.0, 2.5)]
        assert found.by_threads[0].p90_ms is None
        assert (found.load_ms, found.first_run_ms, found.peak_memory_mb) == (21.5, 6.0, 11.5)
        assert (found.fully_delegated, found.delegate_parts) == (False, 2)
        assert found.outside_delegate == ["RESIZE_NEAREST_NEIGHBOR"]
        assert [operator.ms for operator in found.profile] == [2.4, 0.8, 0.8]
        assert found.sustained.runs == 5 * (1 + 100)  # five times 0.4 s of 4 ms, and the run that is asked for
        assert (found.device.cpu, found.device.system) == ("SOC8550 (Maker Phone 3)", "Android 14")

    @pytest.mark.parametrize(
        ("name", "states", "message"),
        [
            ("adb", {}, r"adb: no device is connected; `adb devices` must list it"),
            ("adb", {"A": "unauthorized"}, r"adb: it does not trust this computer yet; unlock it and allow"),
            ("adb", {"A": "offline"}, r"adb: it is offline; plug it in again"),
            ("adb", {"A": "device", "B": "device"}, r"adb: several devices are connected; name one .*adb:SERIAL"),
            ("adb:C", {"A": "device"}, r"adb:C: no such device is connected"),
        ],
    )
    def test_devices_that_cannot_be_used(self, android, small, name, states, message):
        android.connected(**states)
        with pytest.raises(InputError, match=message) as raised:
            run(name, small, Options(), android.binary)
        assert str(raised.value).count("\n") == 0

    def test_a_serial_picks_one_of_several(self, android, small):
        android.connected(A="offline", B="device")
        assert run("adb:B", small, Options(runs=3), android.binary).by_threads[0].runs == 3

    def test_a_pulled_cable_leaves_nothing_there(self, android, small):
        (android.root / "pull_the_cable").touch()
        with pytest.raises(InputError, match=r"adb: no device is connected"):
            run("adb", small, Options(), android.binary)
        wait_for(lambda: android.pushed == [], "its folder is still there")
        wait_for(lambda: not running_in(android.root), "its processes are still there")

    def test_an_old_program_is_told(self, android, small):
        text = android.binary.read_text()
        android.binary.write_text(text.replace(" median={median} p95={median + 500}", ""))
        with pytest.raises(InputError, match=r"benchmark_model prints no median and p95; take a newer one"):
            run("adb", small, Options(), android.binary)

    def test_no_program_and_no_adb(self, android, small, monkeypatch, tmp_path):
        with pytest.raises(InputError, match=r"gone: no such file; it should be the benchmark_model program"):
            run("adb", small, Options(), tmp_path / "gone")
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(InputError, match=r"adb: there is no `adb` here; install Android's platform tools"):
            run("adb", small, Options(), android.binary)
