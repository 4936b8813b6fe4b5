"""An Android device as the target, measured with the official benchmark_model program through adb.

The program is TensorFlow Lite's tools/benchmark:benchmark_model, built or downloaded for the device; splitpose does
not contain it. It generates its own random inputs and prints p50 and p95, but no p90, p99 or times of single runs.
"""

import hashlib
import os
import re
import secrets
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from splitpose.benchmark import operator_timings
from splitpose.benchmark.schema import Device, Latency, SustainedLatency, TargetResult
from splitpose.benchmark.targets.latency_statistics import compare_fifths
from splitpose.benchmark.targets.target import MAX_PROFILED_RUNS, BenchmarkOptions
from splitpose.benchmark.tflite_operators import InputSpec
from splitpose.errors import InputError

BINARY_VARIABLE = "SPLITPOSE_BENCHMARK_BINARY"
FOLDER = "/data/local/tmp"
SUSTAINED_STARTS = 5
"""Number of consecutive starts that make up sustained runs, because the program prints no times of single runs."""

COMMAND = """{{ cd {folder} || exit 1
./benchmark_model {flags} 2>&1 & program=$!
( cat > /dev/null; rm -rf {folder}; kill -9 $program ) <&3 > /dev/null 2>&1 & watch=$!
wait $program; status=$?
kill $watch; exit $status
}} 3<&0"""
"""Shell command that runs the program and watches the standard input, which adb holds open.

If the cable is unplugged, the standard input ends; the subshell then removes the folder and kills the program.
"""

DEVICE_COMMANDS = {
    "manufacturer": "getprop ro.product.manufacturer",
    "model": "getprop ro.product.model",
    "soc": "getprop ro.soc.model",
    "platform": "getprop ro.board.platform",
    "machine": "uname -m",
    "cores": "grep -c ^processor /proc/cpuinfo",
    "memory": "grep MemTotal /proc/meminfo",
    "android": "getprop ro.build.version.release",
    "governor": "cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
}
"""Shell commands that print facts about the device; older devices lack some of them."""

INITIALIZATION = re.compile(r"Inference timings in us: Init: ([\d.e+]+), First inference: ([\d.e+]+)")
LATENCY = re.compile(r"count=(\d+) .*?median=(\d+) p95=(\d+)")
MEMORY = re.compile(r"Memory footprint delta from the start of the tool \(MB\): init=\S+ overall=([\d.e+]+)")
DELEGATION = re.compile(
    r"the model graph will (not )?be (completely|partially)?.*executed by the delegate(?: w/ (\d+))?"
)
OPERATOR_HEADING = "Operator-wise Profiling Info for Regular Benchmark Runs"

ADB_ERRORS = {
    "unauthorized": "it does not trust this computer yet; unlock it and allow USB debugging on its screen",
    "offline": "it is offline; plug it in again or run `adb reconnect`",
    "no devices": "no device is connected; enable USB debugging on it and plug it in until `adb devices` lists it",
    "more than one": "several devices are connected; select one of `adb devices` as adb:SERIAL",
    "not found": "no such device is connected; `adb devices` lists them",
}
"""Parts of adb's messages, and explanations for the user."""


@dataclass(frozen=True)
class Adb:
    """Target that measures with benchmark_model in a temporary folder on an Android device."""

    name: str
    serial: str
    binary: Path
    folder: str = field(default_factory=lambda: f"{FOLDER}/splitpose-{secrets.token_hex(4)}")

    @classmethod
    def parse(cls, name: str, binary: Path | None) -> "Adb":
        """Parse adb[:serial].

        Raises:
            InputError: there is no benchmark_model program, neither given nor in the environment.
        """
        in_environment = os.environ.get(BINARY_VARIABLE)
        binary = binary or (Path(in_environment) if in_environment else None)
        if binary is None:
            raise InputError(
                f"{name}: requires the benchmark_model program for Android; give its path with --benchmark-binary "
                f"or {BINARY_VARIABLE} (docs/targets.md describes where to obtain it)"
            )
        if not binary.is_file():
            raise InputError(f"{binary}: no such file; give the path of the benchmark_model program for Android")
        return cls(name, name.partition(":")[2], binary)

    def run(self, model: Path, inputs: Sequence[InputSpec], options: BenchmarkOptions) -> TargetResult:
        """Measure a file as described in `Target.run`; the program generates the inputs."""
        first_threads = options.threads[0]
        with self._pushed(model):
            device = self._device()
            outputs = [
                self._program(model, threads, warmup_runs=options.warmup_runs, num_runs=options.runs)
                for threads in options.threads
            ]
            profiled_runs = min(MAX_PROFILED_RUNS, options.runs)
            profiled = self._program(model, first_threads, num_runs=profiled_runs, enable_op_profiling="true")
            sustained = self._sustained(model, options) if options.sustained_seconds else None
        timings = operator_timings.parse(profiled.partition(OPERATOR_HEADING)[2])
        load_us, first_run_us = _initialization(outputs[0], model)
        memory = MEMORY.search(outputs[0])
        fully_delegated, partitions = parse_delegation(outputs[0])
        return TargetResult(
            device=device,
            by_threads=[
                parse_latency(output, threads, model)
                for output, threads in zip(outputs, options.threads, strict=True)
            ],
            load_ms=load_us / 1e3,
            first_run_ms=first_run_us / 1e3,
            peak_memory_mb=float(memory[1]) if memory else None,
            fully_delegated=fully_delegated,
            delegate_partitions=partitions,
            outside_delegate=operator_timings.outside_delegate(timings) if timings else None,
            sustained=sustained,
            operator_timings=timings,
            operator_timings_missing=None if timings else "benchmark_model printed no operator timings",
        )

    @contextmanager
    def _pushed(self, model: Path) -> Iterator[None]:
        """Copy the program and the model to the device, and remove them afterwards."""
        self._adb("get-state")
        try:
            self._adb("shell", f"mkdir -p {self.folder}")
            self._adb("push", str(self.binary), f"{self.folder}/benchmark_model")
            self._adb("push", str(model), f"{self.folder}/model.tflite")
            self._adb("shell", f"chmod 755 {self.folder}/benchmark_model")
            yield
        finally:
            self._call("shell", f"rm -rf {self.folder}")

    def _sustained(self, model: Path, options: BenchmarkOptions) -> SustainedLatency:
        """Start the program several times without a pause and compare the first and the last start."""
        threads, seconds = options.threads[0], options.sustained_seconds / SUSTAINED_STARTS
        outputs = [self._program(model, threads, num_runs=1, min_secs=seconds) for _ in range(SUSTAINED_STARTS)]
        latencies = [parse_latency(output, threads, model) for output in outputs]
        runs = sum(latency.runs for latency in latencies)
        return compare_fifths(options.sustained_seconds, runs, latencies[0].p50_ms, latencies[-1].p50_ms)

    def _program(self, model: Path, threads: int, **flags: object) -> str:
        """Return the output of benchmark_model. Without other flags it runs exactly num_runs times."""
        flags = {
            "graph": "model.tflite",
            "num_threads": threads,
            "use_xnnpack": "true",
            "warmup_min_secs": 0,
            "min_secs": 0,
        } | flags
        arguments = " ".join(shlex.quote(f"--{key}={value}") for key, value in flags.items())
        completed = self._call("shell", COMMAND.format(folder=self.folder, flags=arguments))
        if completed.returncode:
            self._adb("get-state")  # raises if the failure is a disconnected device
            raise InputError(
                f"{model}: benchmark_model failed on {self.name} with status {completed.returncode}: "
                f"{_error_line(completed.stdout)}"
            )
        return completed.stdout

    def _device(self) -> Device:
        """Return the facts about the device."""
        commands = "; ".join(f'echo "{key}=$({command} 2>/dev/null)"' for key, command in DEVICE_COMMANDS.items())
        lines = self._adb("shell", commands).splitlines()
        facts = {key: value.strip() for key, _, value in (line.partition("=") for line in lines)}
        memory = re.search(r"\d+", facts["memory"])
        program = hashlib.sha256(self.binary.read_bytes()).hexdigest()
        return Device(
            target=self.name,
            cpu=f"{facts['soc'] or facts['platform']} ({facts['manufacturer']} {facts['model']})",
            architecture=facts["machine"],
            cores=int(facts["cores"] or 1),
            memory_mb=int(memory[0]) >> 10 if memory else None,
            governor=facts["governor"] or None,
            system=f"Android {facts['android']}",
            runtime=f"benchmark_model, sha256 {program[:12]}",
            delegate="XNNPACK",
        )

    def _adb(self, *arguments: str) -> str:
        """Return the output of an adb command. Raises InputError with advice if it fails."""
        completed = self._call(*arguments)
        if completed.returncode:
            known = (advice for message, advice in ADB_ERRORS.items() if message in completed.stdout)
            failure = f"`adb {arguments[0]}` failed: {_error_line(completed.stdout)}"
            raise InputError(f"{self.name}: {next(known, failure)}")
        return completed.stdout

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an adb command on the device."""
        command = ["adb", *(["-s", self.serial] if self.serial else []), *arguments]
        try:
            # The pipe stays open, so that its end signals to the device that this process or the cable is gone.
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        except FileNotFoundError as error:
            raise InputError(
                f"{self.name}: there is no `adb` on this machine; install Android's platform tools "
                "(Debian: apt install adb)"
            ) from error
        with process:
            assert process.stdout
            try:
                output = process.stdout.read()
            except BaseException:
                process.terminate()
                raise
        return subprocess.CompletedProcess(command, process.returncode, output)


def parse_latency(output: str, threads: int, model: Path) -> Latency:
    """Parse the latency after the warm-up, which benchmark_model prints in its second line of counts."""
    counts = LATENCY.findall(output)
    if len(counts) < 2:
        raise InputError(f"{model}: benchmark_model printed no median and p95; use a version of 2024 or later")
    runs, median, p95 = counts[-1]
    return Latency(threads=threads, runs=int(runs), p50_ms=int(median) / 1e3, p95_ms=int(p95) / 1e3)


def parse_delegation(output: str) -> tuple[bool, int]:
    """Parse whether the delegate runs the whole graph, and the number of partitions that it runs."""
    match = DELEGATION.search(output)
    if not match or match[1]:
        return False, 0
    return match[2] == "completely", int(match[3] or 1)


def _initialization(output: str, model: Path) -> tuple[float, float]:
    """Parse the times for loading and for the first run, us."""
    match = INITIALIZATION.search(output)
    if not match:
        raise InputError(f"{model}: benchmark_model printed no timings; check that it is built for this device")
    return float(match[1]), float(match[2])


def _error_line(output: str) -> str:
    """Return the last line of an output that contains ERROR, otherwise its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line]
    return (errors or lines or ["no message"])[-1]
