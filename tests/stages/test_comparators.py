import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from support import yaml
from support.tiny_project import tiny_profile

from splitpose.comparators import conversion, squeezenet, stacked_hourglass
from splitpose.comparators.conversion import Network, convert_networks
from splitpose.comparators.registry import Comparator
from splitpose.errors import InputError
from splitpose.models import build
from splitpose.settings import Benchmark, Profile
from splitpose.stages import comparators as stage

pytestmark = pytest.mark.integration

TINY = {
    "squeezed": Comparator(partial(squeezenet.build, classes=10), 64, "classifier", "Authors", 2016),
    "hourglass": Comparator(partial(stacked_hourglass.build, stacks=1, features=16), 64, "pose", "Others", 2017),
}


@pytest.fixture
def profile(repository: Path) -> Profile:
    return Profile.model_validate(tiny_profile(repository))


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({"profile": "sample", "variants": {"baseline": {}}}))
    return path


def test_all_networks_are_written_to_one_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: Profile, params: Path
) -> None:
    monkeypatch.setattr(stage, "COMPARATORS", TINY)
    monkeypatch.setattr(stage, "OUR_SIZE", 32)
    monkeypatch.setattr(stage, "MIN_RUNS", 2)
    monkeypatch.setattr(stage, "MAX_MACS", 0)
    # One process for all networks: comparators/test_networks.py converts each in its own, which imports TensorFlow.
    monkeypatch.setattr(conversion, "ProcessPoolExecutor", lambda *_, **__: ThreadPoolExecutor(1))
    (tmp_path / "models" / "baseline").mkdir(parents=True)
    small = Network(partial(build, "baseline", width=0.25), 32)
    (trained,) = convert_networks({"baseline": small}, tmp_path).values()
    trained.path.rename(tmp_path / "models" / "baseline" / "float32.tflite")

    stage.comparators(profile, params, tmp_path / "models", tmp_path / "comparators.json")

    results = json.loads((tmp_path / "comparators.json").read_text())
    assert results.pop("profile") == "sample"
    assert results.pop("device")["target"] == "local"
    assert list(results) == ["baseline", *TINY, "baseline, as trained"]
    assert all(result["runs"] == 2 and 0 < result["p50_ms"] <= result["p95_ms"] for result in results.values())
    assert all(result["fully_delegated"] and result["outside_delegate"] == {} for result in results.values())
    kinds = [(result["kind"], result["size"]) for result in results.values()]
    assert kinds == [("ours", 32), ("classifier", 64), ("pose", 64), ("ours", 32)]
    assert (results["hourglass"]["paper"], results["hourglass"]["year"]) == ("Others", 2017)
    assert results["baseline, as trained"]["parameters"] == trained.parameters
    assert trained.parameters == build("baseline", 32, 0.25).count_params()
    assert results["baseline"]["parameters"] == build("baseline", 32).count_params()
    assert results["baseline"]["macs"] > 10 * results["baseline, as trained"]["macs"]
    assert not list(tmp_path.glob(".part-*"))


def test_a_missing_model_is_named_before_anything_is_converted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: Profile, params: Path
) -> None:
    monkeypatch.setattr(stage, "convert_networks", lambda *_: pytest.fail("converted"))
    with pytest.raises(
        InputError, match=r"models/baseline/float32\.tflite: no such TFLite file; run `dvc repro convert`"
    ):
        stage.comparators(profile, params, tmp_path / "models", tmp_path / "comparators.json")


@pytest.mark.parametrize(
    ("macs", "runs", "warmup_runs"),
    [
        (1e9, 200, 20),  # 300 are affordable
        (3e9, 100, 10),
        (1.5e11, 5, 1),  # 2 are affordable, 5 are the minimum
        (0, 200, 20),
    ],
)
def test_heavy_networks_run_less_often(macs: float, runs: int, warmup_runs: int) -> None:
    settings = Benchmark(target="local", threads=[2, 4], warmup_runs=20, runs=200)
    options = stage._options(settings, int(macs))
    assert (options.runs, options.warmup_runs, options.threads) == (runs, warmup_runs, (2,))
