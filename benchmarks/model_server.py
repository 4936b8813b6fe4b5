"""Measure throughput and latency of the model server relative to the model alone.

    python benchmarks/model_server.py [--models FILE ...] [--seconds 5] [--clients 1 2 4 8]

Saves each file as an MLflow model, serves it with `mlflow models serve` on a free port of 127.0.0.1, and sends
requests of one image for a limited time: a rendered person in a JPEG file of 720 x 480 px, with the person's box,
and without it, so that the image is searched. Each client waits for a response before it sends its next request.
The model alone is the interpreter with one thread on one crop, measured in this process before and after each case,
while the server is idle. Clients, server and this process share the machine's cores.

Columns: requests/s; p50, p95 and p99 of the time from the first byte sent to the last one received; model runs per
request; `share`, the model runs per second of all requests over those of the model alone on one core; `times`, the
median latency over the time that the model alone takes for the same number of runs.
"""

import argparse
import base64
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from time import perf_counter, sleep
from typing import Any

import cv2
import numpy as np
import pandas as pd
import rendered_videos
import requests
from model_speed import measure_model
from rich.console import Console
from rich.table import Table

from splitpose.annotations import BOX_COLUMNS
from splitpose.inference.pose_model import PoseModel
from splitpose.tracking.model_server.model_pool import ModelPool
from splitpose.tracking.model_server.rows import predict_rows
from splitpose.tracking.model_server.save import save

MODELS = (Path("models/final/float32.tflite"), Path("models/final/int8.tflite"))
"""The default models, those of the sample after `make repro`."""
MODEL_SECONDS = 1.0
"""Duration of a measurement of the model alone."""
START_SECONDS = 60.0
"""Time within which the server must answer."""


@dataclass(frozen=True)
class Result:
    """A measured case: latencies in s of all requests, throughput in requests/s, runs/s of the model alone."""

    model: str
    case: str
    clients: int
    latencies: np.ndarray
    throughput: float
    runs_per_request: int
    model_throughput: float

    def cells(self) -> list[str]:
        """Return the result's row of the table."""
        p50, p95, p99 = np.percentile(self.latencies, [50, 95, 99])
        share = self.throughput * self.runs_per_request / self.model_throughput
        times = p50 * self.model_throughput / self.runs_per_request
        latencies = [f"{1000 * value:.1f}" for value in (p50, p95, p99)]
        return [
            *(self.model, self.case, str(self.clients), f"{self.throughput:.1f}", *latencies),
            *(str(self.runs_per_request), f"{share:.2f}", f"{times:.1f}"),
        ]


def main() -> None:
    """Measure all cases and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=Path, nargs="*", default=[path for path in MODELS if path.is_file()])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 2, 4, 8])
    options = parser.parse_args()
    if not options.models:
        parser.error("no models; give TFLite files with --models, or run `make repro` first")
    results = [
        result for path in options.models for result in measure_server(path, options.clients, options.seconds)
    ]
    show(results)


def measure_server(path: Path, clients: list[int], seconds: float) -> list[Result]:
    """Serve a model and measure its cases."""
    rows = {"box": (boxed := example_row()), "search": {"image": boxed["image"]}}
    with tempfile.TemporaryDirectory() as temporary:
        save(path, Path(temporary) / "model")
        with serve(Path(temporary) / "model") as address:
            return [
                measure(path, address, case, row, number, seconds)
                for case, row in rows.items()
                for number in clients
            ]


def example_row() -> dict[str, Any]:
    """Return a row with a rendered person and the box of the person's joints."""
    motion = rendered_videos.draw_motion(np.random.default_rng(1), 1, 25.0)
    (frame,) = rendered_videos.render_frames([motion], seed=1)
    data = cv2.imencode(".jpg", frame)[1].tobytes()
    return {"image": data, **dict(zip(BOX_COLUMNS, motion.bbox.tolist(), strict=True))}


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a saved model on loopback and yield the address for requests."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "models",
        "serve",
        "--model-uri",
        str(folder),
        "--env-manager",
        "local",
    ]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    log = (folder.parent / "log").open("w+")
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/ping", process, Path(log.name))
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        process.terminate()
        process.wait()
        log.close()


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    start = perf_counter()
    while perf_counter() - start < START_SECONDS and process.poll() is None:
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.RequestException:
            sleep(0.1)
    sys.exit(f"the model server did not start:\n{log.read_text()}")


def measure(path: Path, address: str, case: str, row: dict[str, Any], clients: int, seconds: float) -> Result:
    """Measure one case: a number of clients that repeat a request for `seconds`."""
    body = {"dataframe_records": [row | {"image": base64.b64encode(row["image"]).decode()}]}
    before = measure_model(path, 1, MODEL_SECONDS)
    start = perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        latencies = pool.map(lambda _: repeat(address, body, start + seconds), range(clients))
        flat = np.concatenate(list(latencies))
    throughput = len(flat) / (perf_counter() - start)
    alone = (before + measure_model(path, 1, MODEL_SECONDS)) / 2
    return Result(str(path), case, clients, flat, throughput, count_runs(path, row), alone)


def repeat(address: str, body: dict[str, Any], end: float) -> np.ndarray:
    """Send requests until the time `end`, at least one, and return their latencies in s."""
    latencies = []
    with requests.Session() as session:
        while not latencies or perf_counter() < end:
            start = perf_counter()
            session.post(address, json=body, timeout=60).raise_for_status()
            latencies.append(perf_counter() - start)
    return np.array(latencies)


def count_runs(path: Path, row: dict[str, Any]) -> int:
    """Return the number of crops that the model is run on for a row."""
    pool = ModelPool(path, 1)
    runs = 0
    run = PoseModel.run

    def counted(model: PoseModel, crops: np.ndarray) -> np.ndarray:
        nonlocal runs
        runs += len(crops)
        return run(model, crops)

    PoseModel.run = counted  # type: ignore[method-assign]
    try:
        predict_rows(pd.DataFrame([row]), pool)
    finally:
        PoseModel.run = run  # type: ignore[method-assign]
    return runs


def show(results: list[Result]) -> None:
    """Print the table of results."""
    table = Table(
        "model", "region", "clients", "requests/s", "p50 ms", "p95 ms", "p99 ms", "runs", "share", "times"
    )
    for result in results:
        table.add_row(*result.cells())
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
