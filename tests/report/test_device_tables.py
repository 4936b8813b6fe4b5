from support.synthetic_report import benchmark

from splitpose.benchmark.schema import Benchmark
from splitpose.report import device_tables


def test_one_row_per_file_and_a_dash_for_facts_that_a_device_does_not_report() -> None:
    table = device_tables.runtime_table({"final": Benchmark.model_validate(benchmark("final"))}, "synthetic people")
    assert table.title == "Start-up, latency and memory (synthetic people)"
    assert [row[0] for row in table.rows] == ["final, float32", "final, float16", "final, int8"]
    # 3 ms to the first output, 8 ms a run, no p99, 9.5 MiB, 400 M multiply-adds, 100 GFLOP/s, half of the peak.
    assert table.rows[0][1:] == ("3.0", "8.00", "–", "9.5", "400", "100", "0.50")
