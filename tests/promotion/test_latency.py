import pytest
from promotion.conftest import FakeDevice

from splitpose.benchmark.targets import BenchmarkOptions
from splitpose.promotion.latency import MAX_ROUNDS, measure_p95


@pytest.mark.parametrize(
    ("old", "new", "expected", "rounds"),
    [
        ([5.0], [6.0], (5.0, 6.0), 3),
        ([5.2, 90.0, 5.0], [6.0], (5.0, 6.0), 3),  # 5.2 is within 5 % of the best
        ([5.3, 90.0, 5.0, 5.1], [6.0], (5.0, 6.0), 4),  # 5.3 is not
        ([5.0], [6.0, 60.0, 60.0, 60.0, 6.1], (5.0, 6.0), 5),
        ([2.0**-number for number in range(50)], [6.0], (2.0**-19, 6.0), MAX_ROUNDS),
    ],
)
def test_files_alternate_until_the_lowest_p95_of_each_is_confirmed(tmp_path, file, old, new, expected, rounds):
    files = {}
    for name in ("old", "new"):
        files[name] = tmp_path / f"{name}.tflite"
        files[name].write_bytes(file().read_bytes())
    device = FakeDevice(old=old, new=new)
    assert measure_p95(device, files, BenchmarkOptions()) == dict(zip(files, expected, strict=True))
    assert device.runs == ["old", "new"] * rounds
