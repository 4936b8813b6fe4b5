"""Contract tests for all kinds of targets, and the errors of each."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from support.processes import running_in, wait_for

from splitpose.benchmark.targets import BenchmarkOptions, open_target
from splitpose.benchmark.tflite_operators import inspect_tflite
from splitpose.cli import main
from splitpose.errors import InputError

pytestmark = pytest.mark.integration


@pytest.fixture(params=["local", "ssh", "adb"])
def device(request, tmp_path, monkeypatch):
    """A target's name, its benchmark_model program, and a function that lists the files left on the device."""
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
    with open_target(name, binary) as target:
        return target.run(model, inspect_tflite(model).inputs, options)


def test_a_target_measures_a_file_and_removes_its_files(device, small):
    name, binary, list_files = device
    result = run(
        name, small, BenchmarkOptions(threads=(1, 2), runs=9, warmup_runs=2, sustained_seconds=0.2), binary
    )
    assert [latency.threads for latency in result.by_threads] == [1, 2]
    assert [latency.runs for latency in result.by_threads] == [9, 9]
    for latency in result.by_threads:
        assert 0 < latency.p50_ms <= latency.p95_ms
    assert result.load_ms > 0
    assert result.first_run_ms > 0
    assert result.delegate_partitions >= 1
    assert result.operator_timings
    assert result.sustained.runs >= 5
    assert result.sustained.slowdown > 0
    assert result.device.target == name
    assert result.device.cores >= 1
    assert result.device.cpu
    assert list_files() == []


def test_a_file_that_does_not_run_on_the_device_is_named(device, small, tmp_path):
    name, binary, list_files = device
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"nothing")
    if name == "adb":
        (tmp_path / "android" / "broken").touch()
    expected = r"^[^\n]*broken.tflite[^\n]*$"
    with open_target(name, binary) as target, pytest.raises(InputError, match=expected):
        target.run(broken, inspect_tflite(small).inputs, BenchmarkOptions(runs=2))
    assert list_files() == []


class TestSsh:
    def test_a_lost_connection_leaves_nothing_on_the_machine(self, sshd, known_host, small):
        raised = self.run_in_a_thread(sshd, small)
        for session in sshd.sessions():
            os.kill(session, signal.SIGKILL)
        wait_for(lambda: bool(raised), "the command did not end")
        assert "the connection was lost" in str(raised[0])
        assert str(raised[0]).count("\n") == 0
        wait_for(lambda: not list(sshd.temporary.iterdir()), "its folder is still there")
        wait_for(lambda: not running_in(sshd.temporary), "its processes are still running")

    def run_in_a_thread(self, sshd, small):
        raised = []

        def measure():
            try:
                run(sshd.url(), small, BenchmarkOptions(sustained_seconds=60))
            except InputError as error:
                raised.append(error)

        threading.Thread(target=measure, daemon=True).start()
        wait_for(lambda: bool(running_in(sshd.temporary)), "the runner did not start")
        return raised

    def test_a_killed_command_leaves_nothing_on_the_machine(self, sshd, known_host, small):
        code = "import sys; from splitpose.cli import main; sys.exit(main(sys.argv[1:]))"
        words = ["benchmark", str(small), "--target", sshd.url(), "--sustained", "60"]
        process = subprocess.Popen([sys.executable, "-c", code, *words])
        wait_for(lambda: bool(running_in(sshd.temporary)), "the runner did not start")
        process.kill()
        process.wait()
        wait_for(lambda: not list(sshd.temporary.iterdir()), "its folder is still there")
        wait_for(lambda: not running_in(sshd.temporary), "its processes are still running")

    def test_an_unknown_host_key_is_rejected(self, sshd, known_host, small):
        known_host.write_text("")
        with pytest.raises(InputError, match=rf"the host key is not .* `ssh -p {sshd.port} \w+@127.0.0.1` once"):
            run(sshd.url(), small, BenchmarkOptions())

    def test_a_changed_host_key_is_rejected_even_if_the_configuration_is_laxer(self, sshd, known_host, small):
        key = (sshd.folder / "user.pub").read_text()
        known_host.write_text(f"[127.0.0.1]:{sshd.port} {key}")
        config = known_host.parent / "ssh_config"
        config.write_text("StrictHostKeyChecking no\n" + config.read_text())
        with pytest.raises(InputError, match=r"the host key is not the one in known_hosts"):
            run(sshd.url(), small, BenchmarkOptions())

    def test_a_missing_key_is_reported(self, sshd, known_host, small):
        config = known_host.parent / "ssh_config"
        config.write_text(config.read_text().replace(str(sshd.folder / "user"), "/dev/null"))
        with pytest.raises(InputError, match=r"login without a password was denied.*ssh-copy-id"):
            run(sshd.url(), small, BenchmarkOptions())

    def test_a_missing_python_is_reported(self, sshd, known_host, small):
        with pytest.raises(InputError, match=r"there is no /no/python on the machine; specify the path"):
            run(sshd.url("/no/python"), small, BenchmarkOptions())

    def test_a_python_without_packages_is_reported(self, sshd, known_host, small, tmp_path):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
        python = str(tmp_path / "venv" / "bin" / "python")
        expected = rf"has no numpy; run `{python} -m pip install numpy ai-edge-litert` on the device"
        with pytest.raises(InputError, match=expected):
            run(sshd.url(python), small, BenchmarkOptions())

    def test_an_unreachable_machine_is_reported(self, small, capsys):
        words = ["benchmark", str(small), "--target", "ssh://root@127.0.0.1:9"]
        assert main(words) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: ssh://root@127.0.0.1:9: cannot be reached: ")
        assert error.count("\n") == 1

    def test_a_missing_ssh_is_reported(self, small, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(InputError, match=r"ssh: no such program on this machine"):
            run("ssh://root@127.0.0.1:9", small, BenchmarkOptions())


class TestAdb:
    def test_the_result_contains_the_programs_output(self, android, small):
        result = run(
            "adb:PHONE1", small, BenchmarkOptions(threads=(1, 2), runs=30, sustained_seconds=2), android.binary
        )
        assert [(latency.p50_ms, latency.p95_ms) for latency in result.by_threads] == [(4.0, 4.5), (2.0, 2.5)]
        assert result.by_threads[0].p90_ms is None
        assert (result.load_ms, result.first_run_ms, result.peak_memory_mb) == (21.5, 6.0, 11.5)
        assert (result.fully_delegated, result.delegate_partitions) == (False, 2)
        assert result.outside_delegate == ["RESIZE_NEAREST_NEIGHBOR"]
        assert [operator.ms for operator in result.operator_timings] == [2.4, 0.8, 0.8]
        assert result.sustained.runs == 5 * (1 + 100)  # five times 0.4 s of 4 ms each, and the one requested run
        assert (result.device.cpu, result.device.system) == ("SOC8550 (Maker Phone 3)", "Android 14")

    @pytest.mark.parametrize(
        ("name", "states", "message"),
        [
            ("adb", {}, r"adb: no device is connected; enable USB debugging"),
            ("adb", {"A": "unauthorized"}, r"adb: it does not trust this computer yet; unlock it and allow"),
            ("adb", {"A": "offline"}, r"adb: it is offline; plug it in again"),
            ("adb", {"A": "device", "B": "device"}, r"adb: several devices are connected; select one .*adb:SERIAL"),
            ("adb:C", {"A": "device"}, r"adb:C: no such device is connected"),
        ],
    )
    def test_unusable_devices_are_reported(self, android, small, name, states, message):
        android.connect(**states)
        with pytest.raises(InputError, match=message) as raised:
            run(name, small, BenchmarkOptions(), android.binary)
        assert str(raised.value).count("\n") == 0

    def test_a_serial_selects_one_of_several_devices(self, android, small):
        android.connect(A="offline", B="device")
        assert run("adb:B", small, BenchmarkOptions(runs=3), android.binary).by_threads[0].runs == 3

    def test_an_unplugged_cable_leaves_nothing_on_the_device(self, android, small):
        (android.root / "unplug_the_cable").touch()
        with pytest.raises(InputError, match=r"adb: no device is connected"):
            run("adb", small, BenchmarkOptions(), android.binary)
        wait_for(lambda: android.pushed == [], "its folder is still there")
        wait_for(lambda: not running_in(android.root), "its processes are still running")

    def test_an_old_program_is_reported(self, android, small):
        text = android.binary.read_text()
        android.binary.write_text(text.replace(" median={median} p95={median + 500}", ""))
        with pytest.raises(InputError, match=r"benchmark_model printed no median and p95; use a version of 2024"):
            run("adb", small, BenchmarkOptions(), android.binary)

    def test_a_missing_program_and_a_missing_adb_are_reported(self, android, small, monkeypatch, tmp_path):
        with pytest.raises(InputError, match=r"gone: no such file; give the path of the benchmark_model program"):
            run("adb", small, BenchmarkOptions(), tmp_path / "gone")
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(
            InputError, match=r"adb: there is no `adb` on this machine; install Android's platform tools"
        ):
            run("adb", small, BenchmarkOptions(), android.binary)
