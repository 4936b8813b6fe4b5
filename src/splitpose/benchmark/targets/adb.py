"""An Android device as the target, by the official benchmark_model program and Android's own adb.

The program is TensorFlow Lite's tools/benchmark:benchmark_model, built for the device or taken from its makers;
splitpose has none. It makes its own random inputs and prints percentiles, not samples: p50 and p95 are known, p90
and p99 are not.
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
from splitpose.benchmark.schema import Device, Latency, Run, Sustained
from splitpose.benchmark.targets.target import PROFILED_RUNS, Options
from splitpose.benchmark.tflite_operators import Input
from splitpose.errors import InputError

BINARY_VARIABLE = "SPLITPOSE_BENCHMARK_BINARY"
FOLDER = "/data/local/tmp"
PARTS = 5
"""Of a sustained run: the program prints no times of single runs, so it is started that often without a pause."""

WATCHED = """{{ cd {folder} || exit 1
./benchmark_model {flags} 2>&1 & program=$!
( cat > /dev/null; rm -rf {folder}; kill -9 $program ) <&3 > /dev/null 2>&1 & watch=$!
wait $program; status=$?
kill $watch; exit $status
}} 3<&0"""
"""The program, and beside it a shell that ends it and removes the folder when the cable is pulled: then the
standard input that adb holds ends."""

FACTS = {
    "maker": "getprop ro.product.manufacturer",
    "phone": "getprop ro.product.model",
    "chip": "getprop ro.soc.model",
    "platform": "getprop ro.board.platform",
    "machine": "uname -m",
    "cores": "grep -c ^processor /proc/cpuinfo",
    "memory": "grep MemTotal /proc/meminfo",
    "android": "getprop ro.build.version.release",
    "governor": "cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
}
"""What tells them; an older device lacks some."""

TIMINGS = re.compile(r"Inference timings in us: Init: ([\d.e+]+), First inference: ([\d.e+]+)")
COUNT = re.compile(r"count=(\d+) .*?median=(\d+) p95=(\d+)")
MEMORY = re.compile(r"Memory footprint delta from the start of the tool \(MB\): init=\S+ overall=([\d.e+]+)")
DELEGATED = re.compile(
    r"the model graph will (not )?be (completely|partially)?.*executed by the delegate(?: w/ (\d+))?"
)

PROBLEMS = {
    "unauthorized": "it does not trust this computer yet; unlock it and allow USB debugging on its screen",
    "offline": "it is offline; plug it in again or run `adb reconnect`",
    "no devices": "no device is connected; `adb devices` must list it: switch on USB debugging and plug it in",
    "more than one": "several devices are connected; name one of `adb devices`, as adb:SERIAL",
    "not found": "no such device is connected; `adb devices` lists them",
}


@dataclass(frozen=True)
class Adb:
    """Measures with benchmark_model in a folder of its own, which is removed again."""

    name: str
    serial: str
    binary: Path
    folder: str = field(default_factory=lambda: f"{FOLDER}/splitpose-{secrets.token_hex(4)}")

    @classmethod
    def parse(cls, name: str, binary: Path | None) -> "Adb":
        """Of adb[:serial]. Raises InputError where no benchmark_model program is given, nor in the environment."""
        in_environment = os.environ.get(BINARY_VARIABLE)
        binary = binary or (Path(in_environment) if in_environment else None)
        if binary is None:
            raise InputError(
                f"{name}: needs the benchmark_model program for Android; give its path with --benchmark-binary "
                f"or {BINARY_VARIABLE} (docs/targets.md says where it comes from)"
            )
        if not binary.is_file():
            raise InputError(f"{binary}: no such file; it should be the benchmark_model program for Android")
        return cls(name, name.partition(":")[2], binary)

    def run(self, model: Path, inputs: Sequence[Input], options: Options) -> Run:
        """See Target; the program makes the inputs itself."""
        with self._pushed(model):
            device = self._device()
            printed = [self._benchmark(model, each, options) for each in options.threads]
            threads = options.threads[0]
            runs = min(PROFILED_RUNS, options.runs)
            profiled = self._program(model, threads, num_runs=runs, enable_op_profiling="true")
            parts = []
            if options.sustained_seconds:
                seconds = options.sustained_seconds / PARTS
                parts = [self._program(model, threads, num_runs=1, min_secs=seconds) for _ in range(PARTS)]
        times = operator_timings.parse(
            profiled.partition("Operator-wise Profiling Info for Regular Benchmark Runs")[2]
        )
        load_us, first_us = _found(TIMINGS, printed[0], model)
        memory = MEMORY.search(printed[0])
        complete, delegated = delegation(printed[0])
        return Run(
            device=device,
            by_threads=[latency(text, each, model) for text, each in zip(printed, options.threads, strict=True)],
            load_ms=float(load_us) / 1e3,
            first_run_ms=float(first_us) / 1e3,
            peak_memory_mb=float(memory[1]) if memory else None,
            fully_delegated=complete,
            delegate_parts=delegated,
            outside_delegate=operator_timings.outside_delegate(times) if times else None,
            sustained=_sustained([latency(text, threads, model) for text in parts], options) if parts else None,
            profile=times,
            profile_missing=None if times else "benchmark_model printed no profile",
        )

    @contextmanager
    def _pushed(self, model: Path) -> Iterator[None]:
        """The program and the model are on the device, and are gone afterwards."""
        self._adb("get-state")
        try:
            self._adb("shell", f"mkdir -p {self.folder}")
            self._adb("push", str(self.binary), f"{self.folder}/benchmark_model")
            self._adb("push", str(model), f"{self.folder}/model.tflite")
            self._adb("shell", f"chmod 755 {self.folder}/benchmark_model")
            yield
        finally:
            self._call("shell", f"rm -rf {self.folder}")

    def _benchmark(self, model: Path, threads: int, options: Options) -> str:
        return self._program(model, threads, warmup_runs=options.warmup_runs, num_runs=options.runs)

    def _program(self, model: Path, threads: int, **flags: object) -> str:
        """What benchmark_model prints. Without other flags it runs exactly num_runs times."""
        flags = {
            "graph": "model.tflite",
            "num_threads": threads,
            "use_xnnpack": "true",
            "warmup_min_secs": 0,
            "min_secs": 0,
        } | flags
        words = " ".join(shlex.quote(f"--{key}={value}") for key, value in flags.items())
        done = self._call("shell", WATCHED.format(folder=self.folder, flags=words))
        if done.returncode:
            self._adb("get-state")  # where the device is gone, that is what is wrong
            said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
            last = next(
                (line for line in reversed(said) if "ERROR" in line), said[-1] if said else "it said nothing"
            )
            raise InputError(
                f"{model}: benchmark_model failed on {self.name} with status {done.returncode}: {last}"
            )
        return done.stdout

    def _device(self) -> Device:
        lines = self._adb("shell", "; ".join(f'echo "{fact}=$({how} 2>/dev/null)"' for fact, how in FACTS.items()))
        facts = {fact: value.strip() for fact, _, value in (line.partition("=") for line in lines.splitlines())}
        memory = re.search(r"\d+", facts["memory"])
        program = hashlib.sha256(self.binary.read_bytes()).hexdigest()
        return Device(
            target=self.name,
            cpu=f"{facts['chip'] or facts['platform']} ({facts['maker']} {facts['phone']})",
            architecture=facts["machine"],
            cores=int(facts["cores"] or 1),
            memory_mb=int(memory[0]) >> 10 if memory else None,
            governor=facts["governor"] or None,
            system=f"Android {facts['android']}",
            runtime=f"benchmark_model, sha256 {program[:12]}",
            delegate="XNNPACK",
        )

    def _adb(self, *words: str) -> str:
        """What an adb command prints. Raises InputError with what to do where it fails."""
        done = self._call(*words)
        if done.returncode:
            known = (advice for sign, advice in PROBLEMS.items() if sign in done.stdout)
            last = (done.stdout.strip().splitlines() or ["it said nothing"])[-1]
            raise InputError(f"{self.name}: {next(known, f'`adb {words[0]}` failed: {last}')}")
        return done.stdout

    def _call(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["adb", *(["-s", self.serial] if self.serial else []), *words]
        try:
            # An open pipe, so that its end tells the device when this process or the cable is gone.
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        except FileNotFoundError as error:
            raise InputError(
                f"{self.name}: there is no `adb` here; install Android's platform tools (Debian: apt install adb)"
            ) from error
        with process:
            assert process.stdout
            try:
                printed = process.stdout.read()
            except BaseException:
                process.terminate()
                raise
        return subprocess.CompletedProcess(command, process.returncode, printed)


def latency(printed: str, threads: int, model: Path) -> Latency:
    """Of what benchmark_model prints; the second line of counts is that after the warm-up."""
    counts = COUNT.findall(printed)
    if len(counts) < 2:
        raise InputError(f"{model}: benchmark_model prints no median and p95; take a newer one (2024 or later)")
    runs, median, p95 = counts[-1]
    return Latency(threads=threads, runs=int(runs), p50_ms=int(median) / 1e3, p95_ms=int(p95) / 1e3)


def delegation(printed: str) -> tuple[bool, int]:
    """Whether the delegate runs the whole graph, and in how many parts it runs what it does."""
    found = DELEGATED.search(printed)
    if not found or found[1]:
        return False, 0
    return found[2] == "completely", int(found[3] or 1)


def _sustained(parts: list[Latency], options: Options) -> Sustained:
    first, last = parts[0].p50_ms, parts[-1].p50_ms
    return Sustained(
        seconds=options.sustained_seconds,
        runs=sum(part.runs for part in parts),
        first_fifth_p50_ms=first,
        last_fifth_p50_ms=last,
        slowdown=round(last / first, 3) if first else 1.0,
    )


def _found(pattern: re.Pattern[str], printed: str, model: Path) -> tuple[str, ...]:
    found = pattern.search(printed)
    if not found:
        raise InputError(f"{model}: benchmark_model printed no timings; is it the program for this device?")
    return found.groups()
