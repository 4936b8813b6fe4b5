"""The table relates requests to the model alone."""

import importlib.util
import sys

import numpy as np
import pytest


@pytest.fixture(scope="module")
def script(repository):
    sys.path.insert(0, str(repository / "benchmarks"))  # it imports the module of rendered videos
    spec = importlib.util.spec_from_file_location("model_server", repository / "benchmarks" / "model_server.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["model_server"] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(repository / "benchmarks"))
    del sys.modules["model_server"]


def test_throughput_and_latency_are_relative_to_the_model_alone(script):
    # 10 requests/s of 8 runs are 80 runs/s, of 400 runs/s alone; 8 runs alone take 20 ms.
    latencies = np.arange(101) / 1000
    result = script.Result("a.tflite", "search", 2, latencies, 10.0, 8, 400.0)
    assert result.cells() == ["a.tflite", "search", "2", "10.0", "50.0", "95.0", "99.0", "8", "0.20", "2.5"]
