"""Self-contained program that measures one TFLite file on a device with only numpy and ai-edge-litert.

The benchmark sends this file to the device, starts it as `python -c "source = <this file>; exec(source)"`, and
writes the job, one line of JSON, and the TFLite file to its standard input. It measures in one child process per
number of threads, so that memory and crashes are those of this file alone, and prints one line of JSON.

If its standard input ends before the measurement does, the connection is lost: it then kills its child, removes its
temporary folder and exits. A child process does the same if its parent ends.
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
"""Variables that set the number of threads of NumPy's libraries: 1, because this program starts its own threads."""
PEAK_SIDE = 256
"""Rows and columns of the matrices whose products measure the float32 peak."""
PEAK_SECONDS = 0.2


def main(source: bytes) -> None:
    """Read the job and the model, and measure in a child process for each number of threads."""
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, lambda *_: sys.exit(1))
    for package in ("numpy", "ai_edge_litert"):
        if importlib.util.find_spec(package) is None:
            print(json.dumps({"missing_package": package.replace("_", "-"), "python": sys.executable}))
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
        exit_with_standard_input(folder, children)
        results = [run_child(folder, threads, children) for threads in job["threads"]]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    error = next((result for result in results if "error" in result), None)
    print(json.dumps(error or {"device": describe_device(), "by_threads": results}))


def exit_with_standard_input(folder: Path, children: list[subprocess.Popen[bytes]]) -> None:
    """Watch the standard input in a thread; when it ends, kill the children, remove the folder and exit."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        for child in children:
            child.kill()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def run_child(folder: Path, threads: int, children: list[subprocess.Popen[bytes]]) -> Json:
    """Measure with a number of threads in a child process, and return its lines of JSON merged into one."""
    command = [sys.executable, str(folder / "runner.py"), str(folder), str(threads)]
    environment = {**os.environ, **{variable: "1" for variable in THREAD_VARIABLES}}
    environment.pop("OPENBLAS_CORETYPE", None)  # would limit NumPy to an older processor's instructions
    output, errors = folder / "results", folder / "errors"
    with output.open("w") as out, errors.open("w") as err:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=err, env=environment)
        children.append(child)
        try:
            status = child.wait()
        finally:
            child.kill()
            child.wait()
            assert child.stdin
            child.stdin.close()
    result: Json = {}
    for line in output.read_text().splitlines():
        result.update(json.loads(line))
    if not result:
        messages = errors.read_text(errors="replace").strip().splitlines()
        return {"error": messages[-1] if messages else f"exit status {status} without a message"}
    if status and "operator_table" not in result:
        result["operator_table_missing"] = f"the runtime's profiler ended the process with status {status}"
    return result


def measure(folder: Path, threads: int) -> None:
    """Measure and print; the operator table comes last, in its own line, because the profiler may crash."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    exit_with_standard_input(folder, [])
    job = json.loads((folder / "job.json").read_text())
    path = str(folder / "model.tflite")
    inputs = [[random_input(spec, seed, np) for spec in job["inputs"]] for seed in range(4)]

    peak = peak_gflops(np, threads)  # first, because the runtime's waiting threads would slow it down
    memory_before = reset_peak_memory()
    start = time.perf_counter()
    interpreter = Interpreter(model_path=path, num_threads=threads)
    interpreter.allocate_tensors()
    load_ms = 1e3 * (time.perf_counter() - start)
    input_indices = [detail["index"] for detail in interpreter.get_input_details()]

    def run(number: int) -> float:
        for index, value in zip(input_indices, inputs[number % len(inputs)], strict=True):
            interpreter.set_tensor(index, value)
        start = time.perf_counter()
        interpreter.invoke()
        return 1e3 * (time.perf_counter() - start)

    first_run_ms = run(0)
    for number in range(job["warmup_runs"]):
        run(number)
    samples = [run(number) for number in range(job["runs"])]
    peak_memory = resident_memory("VmHWM")
    partitions, outside = inspect_delegation(interpreter)
    is_first = threads == job["threads"][0]
    result = {
        "threads": threads,
        "samples_ms": samples,
        "load_ms": load_ms,
        "first_run_ms": first_run_ms,
        "peak_memory_mb": mebibytes_between(memory_before, peak_memory),
        "delegate_partitions": partitions,
        "outside_delegate": outside,
        "sustained_ms": run_without_pause(run, job["sustained_seconds"]) if is_first else [],
        "peak_gflops": peak,
    }
    print(json.dumps(result), flush=True)
    if is_first:
        print(json.dumps(profile_operators(path, threads, job["profiled_runs"], inputs[0])), flush=True)


def random_input(spec: Json, seed: int, np: Any) -> Any:
    """Return random values for an input, because a runtime may be faster on zeros.

    Floats are in 0..255 and bytes take their whole range, as pixels do. Other integers may be indices into a table,
    so they are 0 and 1.
    """
    random, shape, dtype = np.random.default_rng(seed), tuple(spec["shape"]), np.dtype(spec["dtype"])
    if dtype.kind == "f":
        return random.uniform(0, 255, shape).astype(dtype)
    if dtype.itemsize == 1 and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return random.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    return random.integers(0, 2, shape).astype(dtype)


def resident_memory(key: str) -> int | None:
    """Return this process's resident memory, KiB: now ("VmRSS") or at its peak ("VmHWM"); None if unknown."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith(key + ":")), None)
    except OSError:
        return None


def reset_peak_memory() -> int | None:
    """Reset the peak of the resident memory and return the present value, KiB; None if the system cannot."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return resident_memory("VmRSS")


def mebibytes_between(before: int | None, peak: int | None) -> float | None:
    """Return the difference of two amounts of memory in KiB as MiB; None if either is unknown."""
    return round((peak - before) / 1024, 2) if peak and before else None


def inspect_delegation(interpreter: Any) -> tuple[int, list[str]]:
    """Return the number of partitions that a delegate runs, and the types of the operators outside of them.

    The runtime also lists the operators that a delegate replaced. Therefore only operators that the outputs depend
    on are counted; a tensor that a delegate computes depends on the delegate alone.
    """
    operators = interpreter._get_ops_details()
    delegates = [operator for operator in operators if operator["op_name"] == "DELEGATE"]
    others = [operator for operator in operators if operator["op_name"] != "DELEGATE"]
    producers = {int(tensor): operator for operator in others + delegates for tensor in operator["outputs"]}
    outside: dict[int, str] = {}
    visited = set()
    tensors = [int(detail["index"]) for detail in interpreter.get_output_details()]
    while tensors:
        operator = producers.get(tensors.pop())
        if operator is None or operator["index"] in visited:
            continue
        visited.add(operator["index"])
        if operator["op_name"] != "DELEGATE":
            outside[operator["index"]] = operator["op_name"]
        tensors += [int(tensor) for tensor in operator["inputs"]]
    return len(delegates), [outside[index] for index in sorted(outside)]


def run_without_pause(run: RunOnce, seconds: float) -> list[float]:
    """Run for a number of seconds without a pause and return the times of the runs, ms."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        times.append(run(len(times)))
    return times


def peak_gflops(np: Any, threads: int) -> float:
    """Return the GFLOP/s of the fastest products of float32 matrices, summed over the threads.

    Each thread computes its own products. One product shared by all threads would measure how long they wait for
    each other on a device that runs other programs too.
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

    workers = min(threads, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        return sum(2 * PEAK_SIDE**3 / seconds / 1e9 for seconds in pool.map(best_seconds, range(workers)))


def profile_operators(path: str, threads: int, runs: int, inputs: list[Any]) -> Json:
    """Return the profiler's table as {"operator_table": text}, or {"operator_table_missing": reason}.

    Python's Interpreter has no profiler. The library that it uses has one in LiteRT's C interface, which reports
    XNNPACK's own operators.
    """
    try:
        return {"operator_table": Profiler(path, threads).table(runs, inputs)}
    except (OSError, AttributeError, RuntimeError) as error:
        return {"operator_table_missing": f"this version's profiler cannot be used ({error})"}


class Profiler:
    """A TFLite file in LiteRT's C interface with profiling enabled; its memory is freed when the process ends."""

    CPU, WRITE = 1, 1

    def __init__(self, path: str, threads: int):
        """Load and compile the file."""
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
        """Call a C function; raises RuntimeError if it fails and AttributeError if it does not exist."""
        status = getattr(self.library, name)(*arguments)
        if status:
            raise RuntimeError(f"{name}: status {status}")

    def new(self, name: str, *arguments: Any) -> ctypes.c_void_p:
        """Call a C function that returns a pointer in its last argument."""
        pointer = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(pointer))
        return pointer

    def size(self, name: str, *arguments: Any) -> int:
        """Call a C function that returns a size in its last argument."""
        size = ctypes.c_size_t()
        self.call(name, *arguments, ctypes.byref(size))
        return size.value

    def set_option(self, options: ctypes.c_void_p, name: bytes, text: str) -> None:
        """Add options as TOML text in memory that the library frees with C's free."""
        c = ctypes.CDLL(None)
        c.strdup.restype = ctypes.c_void_p
        payload, free = ctypes.c_void_p(c.strdup(text.encode())), ctypes.cast(c.free, ctypes.c_void_p)
        self.call("LiteRtAddOpaqueOptions", options, self.new("LiteRtCreateOpaqueOptions", name, payload, free))

    def buffers(self, kind: str) -> ctypes.Array[ctypes.c_void_p]:
        """Create an array of buffers for all inputs (kind "Input") or outputs (kind "Output")."""
        zero = ctypes.c_size_t(0)
        signature = self.new("LiteRtGetModelSignature", self.file, zero)
        buffers = []
        for index in range(self.size(f"LiteRtGetNumSignature{kind}s", signature)):
            position = ctypes.c_size_t(index)
            tensor = self.new(f"LiteRtGetSignature{kind}TensorByIndex", signature, position)
            tensor_type = ctypes.create_string_buffer(1024)  # a struct of dtype and shape, which is only passed on
            self.call("LiteRtGetRankedTensorType", tensor, tensor_type)
            needs = self.new(f"LiteRtGetCompiledModel{kind}BufferRequirements", self.model, zero, position)
            create = "LiteRtCreateManagedTensorBufferFromRequirements"
            buffers.append(self.new(create, self.environment, tensor_type, needs).value)
        return (ctypes.c_void_p * len(buffers))(*buffers)

    def fill(self, buffer: int | None, value: Any) -> None:
        """Copy an array into a buffer."""
        size = self.size("LiteRtGetTensorBufferPackedSize", ctypes.c_void_p(buffer))
        if size != value.nbytes:
            raise RuntimeError(f"a buffer has {size} bytes, but its input {value.nbytes}")
        memory = ctypes.c_void_p()
        self.call("LiteRtLockTensorBuffer", ctypes.c_void_p(buffer), ctypes.byref(memory), self.WRITE)
        ctypes.memmove(memory, value.ctypes.data, size)
        self.call("LiteRtUnlockTensorBuffer", ctypes.c_void_p(buffer))

    def table(self, runs: int, inputs: list[Any]) -> str:
        """Return the profiler's table over a number of runs, after as many without the profiler."""
        input_buffers, output_buffers = self.buffers("Input"), self.buffers("Output")
        # The order of the inputs in the signature is not that of the Interpreter, so they are matched by size.
        remaining = list(inputs)
        for buffer in input_buffers:
            size = self.size("LiteRtGetTensorBufferPackedSize", ctypes.c_void_p(buffer))
            value = next((value for value in remaining if value.nbytes == size), None)
            if value is None:
                raise RuntimeError(f"no input has the {size} bytes of its buffer")
            remaining = [other for other in remaining if other is not value]
            self.fill(buffer, value)
        counts = [ctypes.c_size_t(len(buffers)) for buffers in (input_buffers, output_buffers)]

        def run() -> None:
            zero = ctypes.c_size_t(0)
            arguments = (counts[0], input_buffers, counts[1], output_buffers)
            self.call("LiteRtRunCompiledModel", self.model, zero, *arguments)

        for _ in range(runs):
            run()
        profiler = self.new("LiteRtCompiledModelGetProfiler", self.model)
        self.call("LiteRtStartProfiler", profiler)
        for _ in range(runs):
            run()
        self.call("LiteRtStopProfiler", profiler)
        return ctypes.string_at(self.new("LiteRtGetProfileSummary", profiler, self.model)).decode()


def describe_device() -> Json:
    """Return the facts about the device by the keys of the benchmark's schema."""
    return {
        "cpu": cpu_name(),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_mb": total_memory_mb(),
        "governor": read_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "system": platform.platform(),
        "runtime": f"ai-edge-litert {version('ai-edge-litert')}, Python {platform.python_version()}",
        "delegate": "XNNPACK",
    }


def cpu_name() -> str:
    """Return the processor's name, or the board's if only that is known, as on a Raspberry Pi."""
    lines = (read_text("/proc/cpuinfo") or "").splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), None)
    return model or read_text("/proc/device-tree/model") or platform.processor() or platform.machine()


def read_text(path: str) -> str | None:
    """Return a file's text without surrounding spaces, line ends and NULs; None if there is no such file."""
    try:
        return Path(path).read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None


def total_memory_mb() -> int | None:
    """Return the device's memory, MiB; None if unknown."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    except (ValueError, OSError):
        return None


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        main(globals()["source"])
