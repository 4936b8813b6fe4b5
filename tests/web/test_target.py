"""The browser as a target of the benchmark: a real Chromium opens the address that the command prints."""

import os
import re
import subprocess
import sys
import time

import pytest
from support import web_models

from splitpose.benchmark.schema import Benchmark

pytestmark = pytest.mark.integration

EXPECTED_MESSAGES = re.compile("Cross-Origin-Opener-Policy|409")
"""Console messages if the address is not isolated, as on a phone, or if another page was first."""
ADDRESS = re.compile(r"http://\S+")
PHONE = {"flags": ["--host-resolver-rules=MAP phone.test 127.0.0.1"]}
"""Chromium's option for a host name that is not a secure context, unlike loopback, as on a phone."""


@pytest.fixture
def benchmark(drive, tmp_path):
    """Return a function that starts the command and opens its address.

    It returns the page's state, and the command's status, output and benchmark.
    """

    def benchmark(*words, host=None, **options):
        out, log = tmp_path / "out.json", tmp_path / "log"
        code = "import sys; from splitpose.cli import main; sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", code, "benchmark", *map(str, words), "--json", str(out)]
        with log.open("w") as file:
            environment = os.environ | {"COLUMNS": "200"}
            process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
        try:
            end = time.monotonic() + 30
            while not (address := ADDRESS.search(log.read_text())):
                assert process.poll() is None and time.monotonic() < end, log.read_text()
                time.sleep(0.05)
            url = address[0] if host is None else re.sub(r"//[^:]+:", f"//{host}:", address[0])
            page = drive("benchmark", url, whole=True, **options)
            assert page["otherOrigins"] == []
            assert [message for message in page["console"] if not EXPECTED_MESSAGES.search(message)] == []
            status = process.wait(30)
        finally:
            process.kill()
            process.wait()
        return page["result"], status, log.read_text(), Benchmark.read(out) if out.exists() else None

    return benchmark


def test_files_are_measured_in_the_first_page_that_opens(benchmark, models):
    files = [models / "final" / "int8.tflite", models / "baseline" / "float32.tflite"]
    words = [*files, "--target", "browser", "--threads", "1", "2", "--runs", "30", "--sustained", "1"]
    page, status, log, result = benchmark(*words, twice=True)
    assert status == 0, log
    assert page["message"].startswith("Done; the command has the result")
    assert page["second"].startswith("another page is already measured")
    assert [row.split("/")[0] for row in page["rows"]] == ["final", "final", "baseline", "baseline"]
    assert list(result.models) == [str(path) for path in files]
    for model in result.models.values():
        assert [(latency.threads, latency.runs) for latency in model.by_threads] == [(1, 30), (2, 30)]
        assert all(0 < latency.p50_ms <= latency.p95_ms for latency in model.by_threads)
        assert (model.fully_delegated, model.delegate_partitions) == (True, 1)
        assert model.sustained.runs > 10
        assert model.operator_timings_missing
    assert result.device.target == "browser"
    assert result.device.runtime.startswith("LiteRT.js ")
    assert "clock of " in result.device.runtime
    assert result.device.cores >= 1
    assert "p95" in log


def test_a_phone_on_the_network_measures_with_one_thread(benchmark, models, tmp_path):
    import tensorflow as tf

    whole, part = models / "final" / "int8.tflite", tmp_path / "part.tflite"
    part.write_bytes(web_models.convert(lambda x: tf.sin(tf.gather(x * 2.0, [2, 0], axis=1)), (1, 4)))
    words = [whole, part, "--target", "browser:0.0.0.0", "--runs", "9"]
    page, status, log, result = benchmark(*words, host="phone.test", **PHONE)
    assert (page["secure"], status) == (False, 0), log
    assert result.models[str(whole)].runs == 9
    model = result.models[str(part)]  # XNNPACK leaves GATHER to the runtime
    assert (model.fully_delegated, model.delegate_partitions) == (False, None)
    assert "partly" in log


def test_a_failure_is_reported_by_the_page_and_the_command(benchmark, tmp_path):
    file = tmp_path / "x.tflite"
    file.write_bytes(web_models.convert(lambda x: x * 2.0, (1, 4)))
    words = [file, "--target", "browser:0.0.0.0", "--threads", "2"]
    page, status, log, result = benchmark(*words, host="phone.test", **PHONE)
    error = "more than one thread requires an address on https or 127.0.0.1"
    assert status == 1
    assert error in page["message"]
    assert f"error: {file}: does not run on browser:0.0.0.0: {error}" in log
    assert result is None
