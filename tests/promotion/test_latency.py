import pytest
from promotion.conftest import Stopwatch

from splitpose.benchmark.targets import BenchmarkOptions
from splitpose.promotion.latency import MAX_ROUNDS, p95_ms


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
def test_both_are_timed_in_turn_until_the_best_of_each_is_confirmed(tmp_path, file, old, new, expected, rounds):
    files = {}
    for name in ("old", "new"):
        files[name] = tmp_path / f"{name}.tflite"
        files[name].write_bytes(file().read_bytes())
    device = Stopwatch(old=old, new=new)
    assert p95_ms(device, files, BenchmarkOptions()) == dict(zip(files, expected, strict=True))
    assert device.runs == ["old", "new"] * rounds
