import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.synthetic_report import VARIANTS, comparison, metrics, write

from splitpose.errors import InputError
from splitpose.evaluation.comparison import compare, protocol


def test_comparison_is_the_contract(tmp_path: Path) -> None:
    assert compare("sample", VARIANTS, *write(tmp_path)) == comparison()


def test_intervals_stand_inside_each_threshold(tmp_path: Path) -> None:
    final = compare("sample", VARIANTS, *write(tmp_path))["variants"]["final"]
    assert final["pck"]["0.1"]["lwri"] == 50.0
    assert final["pck"]["0.1"]["ci95"]["lwri"] == [49.0, 51.0]
    assert final["auc"]["0.2"]["mean"] == 45.0
    assert final["auc"]["0.2"]["ci95"]["lwri"] == [34.0, 36.0]


def test_only_the_variants_asked_for_in_their_order(tmp_path: Path) -> None:
    folders = write(tmp_path)
    assert list(compare("sample", ["final", "baseline"], *folders)["variants"]) == ["final", "baseline"]
    assert list(compare("sample", ["final"], *folders)["variants"]) == ["final"]


@pytest.mark.parametrize(("number", "stage"), [(0, "evaluate@final"), (1, "convert@final"), (2, "benchmark@final")])
def test_missing_file_names_itself_and_its_stage(tmp_path: Path, number: int, stage: str) -> None:
    folders = write(tmp_path)
    path = folders[number] / "final.json"
    path.unlink()
    with pytest.raises(InputError, match=re.escape(str(path)) + ".*" + stage) as raised:
        compare("sample", VARIANTS, *folders)
    assert "\n" not in str(raised.value)


def test_broken_file_names_itself_and_its_stage(tmp_path: Path) -> None:
    folders = write(tmp_path)
    (folders[1] / "baseline.json").write_text('{"float32": ')
    with pytest.raises(InputError, match=r"baseline\.json: not valid JSON.*convert@baseline"):
        compare("sample", VARIANTS, *folders)


def test_missing_key_is_named(tmp_path: Path) -> None:
    folders = write(tmp_path)
    (folders[2] / "final.json").write_text(json.dumps({"device": {}, "float32": {"p50_ms": 1}}))
    with pytest.raises(InputError, match=r"final\.json: has no 'float32\.p95_ms'.*benchmark@final"):
        compare("sample", VARIANTS, *folders)


def test_a_list_for_an_object_is_an_input_error(tmp_path: Path) -> None:
    folders = write(tmp_path)
    (folders[0] / "final.json").write_text("[]")
    with pytest.raises(InputError, match="has no 'n'"):
        compare("sample", VARIANTS, *folders)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("torso", "rsho-lhip", "torso is rsho-lhip, but lsho-rhip for baseline"),
        ("bootstrap_cluster", "group", "bootstrap_cluster is group, but image for baseline"),
        ("flip_test", True, "flip_test is True, but False for baseline"),
    ],
)
def test_variants_scored_in_different_ways_are_refused(tmp_path: Path, key: str, value: Any, said: str) -> None:
    folders = write(tmp_path)
    (folders[0] / "final.json").write_text(json.dumps(metrics("final") | {key: value}))
    with pytest.raises(InputError, match=said):
        compare("sample", VARIANTS, *folders)


def test_protocol(tmp_path: Path) -> None:
    folders = write(tmp_path)
    assert protocol(VARIANTS, folders[0]) == {
        "n": 40,
        "without_torso": 0,
        "torso": "lsho-rhip",
        "viewpoint": "observer",
        "bootstrap_cluster": "image",
        "flip_test": False,
    }
