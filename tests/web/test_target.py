"""The browser as a device of the benchmark: a real Chromium opens the address that the command prints."""

import os
import re
import subprocess
import sys
import time

import pytest
from support import web_models as made

from splitpose.benchmark.schema import Benchmark

USUAL = re.compile("Cross-Origin-Opener-Policy|409")
"""In the console: a phone's address is not isolated, another page was first."""
ADDRESS = re.compile(r"http://\S+")
PHONE = {"flags": ["--host-resolver-rules=MAP phone.test 127.0.0.1"]}
"""A name that a browser does not trust as it does loopback; a phone sees this machine so."""


@pytest.fixture
def benchmark(drive, tmp_path):
    """Starts the command, opens its address: what the page says, and what the command printed and wrote."""

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
            assert page["elsewhere"] == []
            assert [line for line in page["console"] if not USUAL.search(line)] == []
            status = process.wait(30)
        finally:
            process.kill()
            process.wait()
        return page["answer"], status, log.read_text(), Benchmark.read(out) if out.exists() else None

    return benchmark


def test_files_are_measured_in_the_first_page_that_comes(benchmark, models):
    files = [models / "final" / "int8.tflite", models / "baseline" / "float32.tflite"]
    words = [*files, "--target", "browser", "--threads", "1", "2", "--runs", "30", "--sustained", "1"]
    page, status, log, found = benchmark(*words, twice=True)
    assert status == 0, log
    assert page["message"].startswith("Done; the command has the result")
    assert page["second"].startswith("another page is being measured")
    assert [row.split("/")[0] for row in page["rows"]] == ["final", "final", "baseline", "baseline"]
    assert list(found.models) == [str(path) for path in files]
    for figures in found.models.values():
        assert [(speed.threads, speed.runs) for speed in figures.by_threads] == [(1, 30), (2, 30)]
        assert all(0 < speed.p50_ms <= speed.p95_ms for speed in figures.by_threads)
        assert (figures.fully_delegated, figures.delegate_partitions) == (True, 1)
        assert figures.sustained.runs > 10
        assert figures.operator_timings_missing
    assert found.device.target == "browser"
    assert found.device.runtime.startswith("LiteRT.js ")
    assert "clock of " in found.device.runtime
    assert found.device.cores >= 1
    assert "p95" in log


def test_a_phone_in_the_network_measures_with_one_thread(benchmark, models, tmp_path):
    import tensorflow as tf

    whole, part = models / "final" / "int8.tflite", tmp_path / "part.tflite"
    part.write_bytes(made.converted(lambda x: tf.sin(tf.gather(x * 2.0, [2, 0], axis=1)), (1, 4)))
    words = [whole, part, "--target", "browser:0.0.0.0", "--runs", "9"]
    page, status, log, found = benchmark(*words, host="phone.test", **PHONE)
    assert (page["secure"], status) == (False, 0), log
    assert found.models[str(whole)].runs == 9
    figures = found.models[str(part)]  # XNNPACK leaves GATHER to the runtime
    assert (figures.fully_delegated, figures.delegate_partitions) == (False, None)
    assert "partly" in log


def test_what_cannot_be_measured_there_is_told_on_both_sides(benchmark, tmp_path):
    file = tmp_path / "x.tflite"
    file.write_bytes(made.converted(lambda x: x * 2.0, (1, 4)))
    words = [file, "--target", "browser:0.0.0.0", "--threads", "2"]
    page, status, log, found = benchmark(*words, host="phone.test", **PHONE)
    told = "more than one thread needs an address on https or 127.0.0.1"
    assert status == 1
    assert told in page["message"]
    assert f"error: {file}: does not run on browser:0.0.0.0: {told}" in log
    assert found is None
