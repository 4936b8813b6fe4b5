import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from support.processes import running_in, wait_for

from splitpose.benchmark.measure import measure
from splitpose.benchmark.schema import Benchmark, Device, Latency, OperatorTiming, TargetResult
from splitpose.benchmark.targets import BenchmarkOptions, open_target
from splitpose.benchmark.targets.latency_statistics import summarise_sustained
from splitpose.benchmark.targets.local import Local
from splitpose.cli import main
from splitpose.errors import InputError

pytestmark = pytest.mark.integration

DEVICE = Device(target="t", cpu="c", architecture="a", cores=4, system="s", runtime="r", delegate="XNNPACK")


class FakeTarget:
    """Target on which every file takes 2 ms with one thread and 1 ms with two."""

    def run(self, model, inputs, options):
        return TargetResult(
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
            delegate_partitions=1,
            outside_delegate=[],
            operator_timings=[OperatorTiming(name="Add (ND)", ms=0.5)],
        )


def test_a_benchmark_combines_the_file_and_the_targets_result(small):
    model = measure(FakeTarget(), {"m": small}, BenchmarkOptions(threads=(1, 2), runs=7, warmup_runs=3)).models["m"]
    # 3456 MACs are 6912 operations; in 2 ms these are 3.456e6 per second, a share of 0.35 of 0.01 GFLOP/s.
    assert (model.macs, model.p50_ms, model.gflops) == (3456, 2.0, 0.0)
    assert model.share_of_float32_peak == 0.346
    assert (model.threads, model.runs, model.warmup_runs) == (1, 7, 3)
    assert model.init_ms == 7.5
    assert [(latency.threads, latency.p50_ms) for latency in model.by_threads] == [(1, 2.0), (2, 1.0)]
    assert model.sustained is None


def test_a_written_benchmark_is_read_back_unchanged(small, tmp_path):
    result = measure(FakeTarget(), {"int8": small}, BenchmarkOptions())
    result.write(tmp_path / "b.json")
    assert Benchmark.read(tmp_path / "b.json") == result
    content = json.loads((tmp_path / "b.json").read_text())
    assert list(content) == ["format", "device", "int8"]
    assert content["format"]["version"] == 2
    assert content["int8"]["p50_ms"] == 2.0
    assert "p90_ms" not in content["int8"]  # unknown, so left out


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (("format", "version"), 1, r"b.json: format.version: .*run the benchmark again"),
        (("int8", "p50_ms"), "2", r"b.json: int8.p50_ms: "),
        (("int8", "p51_ms"), 2, r"b.json: int8.p51_ms: "),
    ],
)
def test_a_file_that_does_not_conform_is_rejected(small, tmp_path, key, value, message):
    measure(FakeTarget(), {"int8": small}, BenchmarkOptions()).write(tmp_path / "b.json")
    content = json.loads((tmp_path / "b.json").read_text())
    content[key[0]][key[1]] = value
    (tmp_path / "b.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        Benchmark.read(tmp_path / "b.json")


def test_a_throttling_device_is_slower_at_the_end():
    # 20 s: 2 ms in the first half, 4 ms in the second
    samples = np.array([2.0] * 5000 + [4.0] * 2500)
    sustained = summarise_sustained(samples, 20.0)
    assert (sustained.seconds, sustained.runs) == (20.0, 7500)
    assert (sustained.first_fifth_p50_ms, sustained.last_fifth_p50_ms, sustained.slowdown) == (2.0, 4.0, 2.0)
    assert summarise_sustained(np.array([3.0]), 0.1).slowdown == 1.0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("usb", r"usb: unknown target; use local, ssh://user@host\[:port\], adb\[:serial\] or browser\["),
        ("browser:a b", r"browser:a b: not a browser target; use browser \(this machine\) or"),
        ("ssh://", r"ssh://: not an ssh target"),
        ("ssh://pi@host:many", r"ssh://pi@host:many: not an ssh target"),
        ("ssh://-oProxyCommand=x", r"not an ssh target"),
        ("adb", r"adb: requires the benchmark_model program.*--benchmark-binary"),
    ],
)
def test_names_of_unknown_targets_are_rejected(name, message):
    with pytest.raises(InputError, match=message), open_target(name):
        pytest.fail("the target was opened")


def test_operators_outside_the_delegate_are_listed(two_inputs):
    model = measure(Local(), {"m": two_inputs}, BenchmarkOptions(runs=3)).models["m"]
    assert not model.fully_delegated
    assert sorted(model.outside_delegate) == ["CAST", "GATHER"]
    assert {count.name for count in model.operators} == {"CAST", "GATHER", "SIN", "ADD"}


def test_the_runtimes_profiler_times_every_operator(small):
    model = measure(Local(), {"m": small}, BenchmarkOptions(runs=5)).models["m"]
    assert model.operator_timings_missing is None
    names = [operator.name for operator in model.operator_timings]
    assert [name for name in names if "DWConv" in name]
    assert len(names) >= 4
    assert model.peak_memory_mb is None or 0 < model.peak_memory_mb < 100
    assert model.float32_peak_gflops > 0


def test_the_command_writes_and_prints_the_benchmark(small, two_inputs, tmp_path, capsys):
    out = tmp_path / "out.json"
    words = ["benchmark", str(small), str(two_inputs), "--threads", "1", "2", "--runs", "4", "--sustained", "0.2"]
    assert main([*words, "--json", str(out)]) == 0
    models = Benchmark.read(out).models
    assert list(models) == [str(small), str(two_inputs)]
    assert [latency.threads for latency in models[str(small)].by_threads] == [1, 2]
    assert models[str(small)].sustained.seconds == 0.2
    assert models[str(small)].sustained.runs > 10
    printed = capsys.readouterr().out
    assert "not run by the delegate" in printed
    assert "p95" in printed


def test_a_killed_command_leaves_neither_processes_nor_folders(small, tmp_path):
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    code = "import sys; from splitpose.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "benchmark", str(small), "--sustained", "60"]
    process = subprocess.Popen(words, env=environment)
    wait_for(lambda: bool(list(tmp_path.glob("splitpose-*/results"))), "the runner did not start")
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not list(tmp_path.glob("splitpose-*")), "the runner's folder is still there")
    wait_for(lambda: not running_in(tmp_path), "its processes are still running")
