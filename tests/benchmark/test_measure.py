import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from support.processes import running_in, wait_for

from splitpose.benchmark.measure import measure
from splitpose.benchmark.schema import Benchmark, Device, Latency, OperatorTime, Run
from splitpose.benchmark.targets import Options, target_of
from splitpose.benchmark.targets.local import Local
from splitpose.benchmark.targets.python_device import sustained
from splitpose.cli import main
from splitpose.errors import InputError

DEVICE = Device(target="t", cpu="c", architecture="a", cores=4, system="s", runtime="r", delegate="XNNPACK")


class Stopwatch:
    """A device on which every file takes 2 ms with one thread and 1 ms with two."""

    def run(self, model, inputs, options):
        return Run(
            device=DEVICE,
            by_threads=[
                Latency(
                    threads=threads,
                    runs=options.runs,
                    p50_ms=2.0 / threads,
                    p95_ms=3.0,
                    float32_peak_gflops=0.01 * threads,
                )
                for threads in options.threads
            ],
            load_ms=5.0,
            first_run_ms=2.5,
            fully_delegated=True,
            delegate_parts=1,
            outside_delegate=[],
            profile=[OperatorTime(name="Add (ND)", ms=0.5)],
        )


def test_figures_are_worked_out_from_the_file_and_the_run(small):
    figures = measure(Stopwatch(), {"m": small}, Options(threads=(1, 2), runs=7, warmup_runs=3)).models["m"]
    # 3456 multiply-adds are 6912 operations, in 2 ms 3.456e6 a second, which is 0.35 of 0.01 GFLOP/s
    assert (figures.multiply_adds, figures.p50_ms, figures.gflops) == (3456, 2.0, 0.0)
    assert figures.share_of_float32_peak == 0.346
    assert (figures.threads, figures.runs, figures.warmup_runs) == (1, 7, 3)
    assert figures.init_ms == 7.5
    assert [(speed.threads, speed.p50_ms) for speed in figures.by_threads] == [(1, 2.0), (2, 1.0)]
    assert figures.sustained is None


def test_the_file_is_read_as_it_was_written(small, tmp_path):
    result = measure(Stopwatch(), {"int8": small}, Options())
    result.write(tmp_path / "b.json")
    assert Benchmark.read(tmp_path / "b.json") == result
    content = json.loads((tmp_path / "b.json").read_text())
    assert list(content) == ["format", "device", "int8"]
    assert content["format"]["version"] == 1
    assert content["int8"]["p50_ms"] == 2.0
    assert "p90_ms" not in content["int8"]  # not known, so not there


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (("format", "version"), 2, r"b.json: format.version: .*run the benchmark again"),
        (("int8", "p50_ms"), "2", r"b.json: int8.p50_ms: "),
        (("int8", "p51_ms"), 2, r"b.json: int8.p51_ms: "),
    ],
)
def test_a_file_of_another_kind_is_refused(small, tmp_path, key, value, message):
    measure(Stopwatch(), {"int8": small}, Options()).write(tmp_path / "b.json")
    content = json.loads((tmp_path / "b.json").read_text())
    content[key[0]][key[1]] = value
    (tmp_path / "b.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        Benchmark.read(tmp_path / "b.json")


def test_a_throttling_device_is_slower_at_the_end():
    # 20 s: 2 ms in the first half, 4 ms in the second
    samples = np.array([2.0] * 5000 + [4.0] * 2500)
    found = sustained(samples, 20.0)
    assert (found.seconds, found.runs) == (20.0, 7500)
    assert (found.first_fifth_p50_ms, found.last_fifth_p50_ms, found.slowdown) == (2.0, 4.0, 2.0)
    assert sustained(np.array([3.0]), 0.1).slowdown == 1.0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("usb", r"usb: no such target; it is local, ssh://user@host\[:port\], adb\[:serial\] or browser\["),
        ("browser:a b", r"browser:a b: not a browser target; write browser \(this machine\), or"),
        ("ssh://", r"ssh://: not an ssh target"),
        ("ssh://pi@host:many", r"ssh://pi@host:many: not an ssh target"),
        ("ssh://-oProxyCommand=x", r"not an ssh target"),
        ("adb", r"adb: needs the benchmark_model program.*--benchmark-binary"),
    ],
)
def test_targets_that_are_none(name, message):
    with pytest.raises(InputError, match=message), target_of(name):
        pytest.fail("it is a target")


def test_operators_that_the_delegate_leaves_are_named(two_inputs):
    figures = measure(Local(), {"m": two_inputs}, Options(runs=3)).models["m"]
    assert not figures.fully_delegated
    assert sorted(figures.outside_delegate) == ["CAST", "GATHER"]
    assert {count.name for count in figures.operators} == {"CAST", "GATHER", "SIN", "ADD"}


def test_the_runtimes_profiler_gives_every_operators_time(small):
    figures = measure(Local(), {"m": small}, Options(runs=5)).models["m"]
    assert figures.profile_missing is None
    names = [operator.name for operator in figures.profile]
    assert [name for name in names if "DWConv" in name]
    assert len(names) >= 4
    assert figures.peak_memory_mb is None or 0 < figures.peak_memory_mb < 100
    assert figures.float32_peak_gflops > 0


def test_the_command_writes_and_prints(small, two_inputs, tmp_path, capsys):
    out = tmp_path / "out.json"
    words = ["benchmark", str(small), str(two_inputs), "--threads", "1", "2", "--runs", "4", "--sustained", "0.2"]
    assert main([*words, "--json", str(out)]) == 0
    models = Benchmark.read(out).models
    assert list(models) == [str(small), str(two_inputs)]
    assert [speed.threads for speed in models[str(small)].by_threads] == [1, 2]
    assert models[str(small)].sustained.seconds == 0.2
    assert models[str(small)].sustained.runs > 10
    shown = capsys.readouterr().out
    assert "not run by the delegate" in shown
    assert "p95" in shown


def test_a_killed_command_leaves_no_process_and_no_folder(small, tmp_path):
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    code = "import sys; from splitpose.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "benchmark", str(small), "--sustained", "60"]
    process = subprocess.Popen(words, env=environment)
    wait_for(lambda: bool(list(tmp_path.glob("splitpose-*/results"))), "the runner did not start")
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not list(tmp_path.glob("splitpose-*")), "the runner's folder is still there")
    wait_for(lambda: not running_in(tmp_path), "its processes are still there")
