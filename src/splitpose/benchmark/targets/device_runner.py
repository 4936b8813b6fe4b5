"""Measures one TFLite file where it is run; needs numpy and ai-edge-litert, nothing of splitpose.

It is sent to the device and started as `python -c "source = <these lines>; exec(source)"`. On its standard input
follow one line of JSON, the job, and the file itself. It measures in child processes, one for each number of
threads, so that memory and a crash are that of this file alone, and prints one line of JSON.

When its standard input ends before it is done, the connection is gone: then it ends its child, removes its folder
and ends. A child does the same when it loses its parent.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

Json = dict[str, Any]
RunOnce = Callable[[int], float]

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""How the libraries below NumPy are told their number of threads: 1, as this program starts threads itself."""
PEAK_SIDE = 256
PEAK_SECONDS = 0.2


def main(source: bytes) -> None:
    """The parent: takes the job and the model, starts a child for each number of threads."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    for package in ("numpy", "ai_edge_litert"):
        if importlib.util.find_spec(package) is None:
            print(json.dumps({"missing": package.replace("_", "-"), "python": sys.executable}))
            return
    job = json.loads(sys.stdin.buffer.readline())
    folder = Path(tempfile.mkdtemp(prefix="splitpose-"))
    try:
        model = sys.stdin.buffer.read(job["bytes"])
        if len(model) < job["bytes"]:
            return
        (folder / "model.tflite").write_bytes(model)
        (folder / "runner.py").write_bytes(source)
        (folder / "job.json").write_text(json.dumps(job))
        children: list[subprocess.Popen[bytes]] = []
        end_with_standard_input(folder, children)
        results = [in_child(folder, threads, children) for threads in job["threads"]]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    failed = next((result for result in results if "failed" in result), None)
    print(json.dumps(failed or {"device": device(), "by_threads": results}))


def end_with_standard_input(folder: Path, children: list[subprocess.Popen[bytes]]) -> None:
    """Watch the standard input; when it ends, end the children, remove the folder and end at once."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        for child in children:
            child.kill()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def in_child(folder: Path, threads: int, children: list[subprocess.Popen[bytes]]) -> Json:
    """What a process of its own measures with that many threads: its lines of JSON, put together."""
    words = [sys.executable, str(folder / "runner.py"), str(folder), str(threads)]
    environment = {**os.environ, **{variable: "1" for variable in THREAD_VARIABLES}}
    environment.pop("OPENBLAS_CORETYPE", None)  # ties NumPy to an older processor, and would hide the peak
    lines, errors = folder / "results", folder / "errors"
    with lines.open("w") as out, errors.open("w") as err:
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=out, stderr=err, env=environment)
        children.append(child)
        try:
            status = child.wait()
        finally:
            child.kill()
            child.wait()
            assert child.stdin
            child.stdin.close()
    result: Json = {}
    for line in lines.read_text().splitlines():
        result.update(json.loads(line))
    if not result:
        said = errors.read_text(errors="replace").strip().splitlines() or [f"it ended with status {status}"]
        return {"failed": said[-1]}
    if status and "profile" not in result:
        result["profile_missing"] = f"the runtime's profiler ended the process with status {status}"
    return result


def measure(folder: Path, threads: int) -> None:
    """Measure and print; the profile last and in a line of its own, as it may end the process."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    end_with_standard_input(folder, [])
    job = json.loads((folder / "job.json").read_text())
    path = str(folder / "model.tflite")
    inputs = [[noise(each, seed, np) for each in job["inputs"]] for seed in range(4)]

    peak = peak_gflops(np, threads)  # first: later, the waiting threads of the runtime would slow it
    before = restart_peak_memory()
    start = time.perf_counter()
    interpreter = Interpreter(model_path=path, num_threads=threads)
    interpreter.allocate_tensors()
    load_ms = 1e3 * (time.perf_counter() - start)
    places = [detail["index"] for detail in interpreter.get_input_details()]

    def run(number: int) -> float:
        for place, value in zip(places, inputs[number % len(inputs)], strict=True):
            interpreter.set_tensor(place, value)
        start = time.perf_counter()
        interpreter.invoke()
        return 1e3 * (time.perf_counter() - start)

    first_run_ms = run(0)
    for number in range(job["warmup_runs"]):
        run(number)
    samples = [run(number) for number in range(job["runs"])]
    after = memory("VmHWM")
    parts, outside = delegation(interpreter)
    first = threads == job["threads"][0]
    result = {
        "threads": threads,
        "samples_ms": samples,
        "load_ms": load_ms,
        "first_run_ms": first_run_ms,
        "peak_memory_mb": round((after - before) / 1024, 2) if after and before else None,
        "delegate_parts": parts,
        "outside_delegate": outside,
        "sustained_ms": sustained(run, job["sustained_seconds"]) if first else [],
        "peak_gflops": peak,
    }
    print(json.dumps(result), flush=True)
    if first:
        print(json.dumps(profiled(path, threads, job["profiled_runs"], inputs[0])), flush=True)


def noise(each: Json, seed: int, np: Any) -> Any:
    """Random values: an all-zero input would let a runtime take short cuts.

    Bytes are pixels and floats lie in 0..255; other whole numbers may be positions, so they are 0 and 1.
    """
    random, shape, dtype = np.random.default_rng(seed), tuple(each["shape"]), np.dtype(each["dtype"])
    if dtype.kind == "f":
        return random.uniform(0, 255, shape).astype(dtype)
    if dtype.itemsize == 1 and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return random.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    return random.integers(0, 2, shape).astype(dtype)


def memory(key: str) -> int | None:
    """Resident memory of this process, KiB: VmRSS now, VmHWM its peak; None where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith(key + ":")), None)
    except OSError:
        return None


def restart_peak_memory() -> int | None:
    """Resident memory, KiB, from which its peak counts anew; None where the system cannot."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return memory("VmRSS")


def delegation(interpreter: Any) -> tuple[int, list[str]]:
    """Number of parts that a delegate runs, and types of the operators that it does not.

    The runtime lists the operators that a delegate took over, too, so the way is walked back from the outputs,
    through the delegate wherever it gives a tensor.
    """
    operators = interpreter._get_ops_details()
    taken = [operator for operator in operators if operator["op_name"] == "DELEGATE"]
    given_by = {}
    for operator in [each for each in operators if each["op_name"] != "DELEGATE"] + taken:
        for tensor in operator["outputs"]:
            given_by[int(tensor)] = operator
    outside: dict[int, str] = {}
    seen = set()
    tensors = [int(detail["index"]) for detail in interpreter.get_output_details()]
    while tensors:
        operator = given_by.get(tensors.pop())
        if operator is None or operator["index"] in seen:
            continue
        seen.add(operator["index"])
        if operator["op_name"] != "DELEGATE":
            outside[operator["index"]] = operator["op_name"]
        tensors += [int(tensor) for tensor in operator["inputs"]]
    return len(taken), [outside[index] for index in sorted(outside)]


def sustained(run: RunOnce, seconds: float) -> list[float]:
    """Times of runs without a pause, ms."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        times.append(run(len(times)))
    return times


def peak_gflops(np: Any, threads: int) -> float:
    """The best of some products of float32 matrices, 1e9 operations a second, all threads together.

    Each thread makes products of its own: one product shared by all would measure how long they wait for each other
    on a device that has something else to do, too.
    """

    def best_seconds(seed: int) -> float:
        left, right = np.random.default_rng(seed).random((2, PEAK_SIDE, PEAK_SIDE), np.float32)
        out, best, end = np.empty_like(left), float("inf"), time.perf_counter() + PEAK_SECONDS
        np.dot(left, right, out)
        while time.perf_counter() < end or best == float("inf"):
            start = time.perf_counter()
            np.dot(left, right, out)
            best = min(best, time.perf_counter() - start)
        return best

    at_once = min(threads, os.cpu_count() or 1)
    with ThreadPoolExecutor(at_once) as pool:
        return sum(2 * PEAK_SIDE**3 / seconds / 1e9 for seconds in pool.map(best_seconds, range(at_once)))


def profiled(path: str, threads: int, runs: int, inputs: list[Any]) -> Json:
    """The profiler's table, {"profile": text}, or {"profile_missing": why}.

    Python's Interpreter has no profiler. The library that comes with it has one behind LiteRT's C interface, which
    reports XNNPACK's own operators.
    """
    try:
        return {"profile": Profiler(path, threads).table(runs, inputs)}
    except (OSError, AttributeError, RuntimeError) as error:
        return {"profile_missing": f"this version's profiler cannot be used ({error})"}


class Profiler:
    """A file in LiteRT's C interface with profiling switched on. All is freed when the process ends."""

    CPU, WRITE = 1, 1

    def __init__(self, path: str, threads: int):
        """Load the file."""
        import ai_edge_litert

        self.library = ctypes.CDLL(str(Path(ai_edge_litert.__file__).parent / "libLiteRt.so"))
        self.environment = self.new("LiteRtCreateEnvironment", 0, None)
        self.file = self.new("LiteRtCreateModelFromFile", self.environment, path.encode())
        options = self.new("LiteRtCreateOptions")
        self.call("LiteRtSetOptionsHardwareAccelerators", options, self.CPU)
        self.set_option(options, b"runtime_options_string", "enable_profiling = true\n")
        self.set_option(options, b"xnnpack", f"num_threads = {threads}\n")
        self.model = self.new("LiteRtCreateCompiledModel", self.environment, self.file, options)

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function; raises RuntimeError where it fails, AttributeError where there is none."""
        status = getattr(self.library, name)(*arguments)
        if status:
            raise RuntimeError(f"{name}: status {status}")

    def new(self, name: str, *arguments: Any) -> ctypes.c_void_p:
        """Call a function that gives a pointer by its last argument."""
        pointer = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(pointer))
        return pointer

    def number(self, name: str, *arguments: Any) -> int:
        """Call a function that gives a size by its last argument."""
        size = ctypes.c_size_t()
        self.call(name, *arguments, ctypes.byref(size))
        return size.value

    def set_option(self, options: ctypes.c_void_p, name: bytes, text: str) -> None:
        """Options are TOML, in memory that the library frees with C's free."""
        c = ctypes.CDLL(None)
        c.strdup.restype = ctypes.c_void_p
        payload, free = ctypes.c_void_p(c.strdup(text.encode())), ctypes.cast(c.free, ctypes.c_void_p)
        self.call("LiteRtAddOpaqueOptions", options, self.new("LiteRtCreateOpaqueOptions", name, payload, free))

    def buffers(self, kind: str) -> ctypes.Array[ctypes.c_void_p]:
        """An array of buffers for all inputs (`kind` "Input") or outputs ("Output")."""
        zero = ctypes.c_size_t(0)
        signature = self.new("LiteRtGetModelSignature", self.file, zero)
        buffers = []
        for index in range(self.number(f"LiteRtGetNumSignature{kind}s", signature)):
            place = ctypes.c_size_t(index)
            tensor = self.new(f"LiteRtGetSignature{kind}TensorByIndex", signature, place)
            shape = ctypes.create_string_buffer(1024)  # a structure of its type and shape, only passed on
            self.call("LiteRtGetRankedTensorType", tensor, shape)
            needs = self.new(f"LiteRtGetCompiledModel{kind}BufferRequirements", self.model, zero, place)
            make = "LiteRtCreateManagedTensorBufferFromRequirements"
            buffers.append(self.new(make, self.environment, shape, needs).value)
        return (ctypes.c_void_p * len(buffers))(*buffers)

    def fill(self, buffer: int | None, value: Any) -> None:
        """Copy an array into a buffer."""
        size = self.number("LiteRtGetTensorBufferPackedSize", ctypes.c_void_p(buffer))
        if size != value.nbytes:
            raise RuntimeError(f"a buffer of {size} bytes for an input of {value.nbytes}")
        memory = ctypes.c_void_p()
        self.call("LiteRtLockTensorBuffer", ctypes.c_void_p(buffer), ctypes.byref(memory), self.WRITE)
        ctypes.memmove(memory, value.ctypes.data, size)
        self.call("LiteRtUnlockTensorBuffer", ctypes.c_void_p(buffer))

    def table(self, runs: int, inputs: list[Any]) -> str:
        """What the profiler prints of some runs, after as many without it."""
        given, got = self.buffers("Input"), self.buffers("Output")
        # The order of the inputs in the signature is not that of the Interpreter, so they are matched by size.
        left = list(inputs)
        for buffer in given:
            size = self.number("LiteRtGetTensorBufferPackedSize", ctypes.c_void_p(buffer))
            value = next((value for value in left if value.nbytes == size), None)
            if value is None:
                raise RuntimeError(f"no input has the {size} bytes of its buffer")
            left = [each for each in left if each is not value]
            self.fill(buffer, value)
        sizes = [ctypes.c_size_t(len(buffers)) for buffers in (given, got)]

        def run() -> None:
            zero = ctypes.c_size_t(0)
            self.call("LiteRtRunCompiledModel", self.model, zero, sizes[0], given, sizes[1], got)

        for _ in range(runs):
            run()
        profiler = self.new("LiteRtCompiledModelGetProfiler", self.model)
        self.call("LiteRtStartProfiler", profiler)
        for _ in range(runs):
            run()
        self.call("LiteRtStopProfiler", profiler)
        return ctypes.string_at(self.new("LiteRtGetProfileSummary", profiler, self.model)).decode()


def device() -> Json:
    """Facts about the device, as splitpose names them."""
    return {
        "cpu": cpu(),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_mb": memory_mb(),
        "governor": line_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "system": platform.platform(),
        "runtime": f"ai-edge-litert {version('ai-edge-litert')}, Python {platform.python_version()}",
        "delegate": "XNNPACK",
    }


def cpu() -> str:
    """The processor's name, or the board's where only that is told, as on a Raspberry Pi."""
    lines = (line_of("/proc/cpuinfo", whole=True) or "").splitlines()
    named = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), None)
    return named or line_of("/proc/device-tree/model") or platform.processor() or platform.machine()


def line_of(path: str, whole: bool = False) -> str | None:
    """A file's text, or its first line; None where there is no such file."""
    try:
        text = Path(path).read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None
    return text if whole else text.split("\n")[0]


def memory_mb() -> int | None:
    """Memory of the device, MiB."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    except (ValueError, OSError):
        return None


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        main(globals()["source"])
