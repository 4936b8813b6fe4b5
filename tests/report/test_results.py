import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from support import synthetic_report as made_up
from support.synthetic_report import VARIANTS

from splitpose import images
from splitpose.errors import InputError
from splitpose.report.results import Evidence
from splitpose.skeleton import INDEX

WRISTS = [INDEX["lwri"], INDEX["rwri"]]


def test_files_come_as_the_stages_wrote_them(evidence: Evidence, project: Path) -> None:
    assert evidence.comparison == made_up.comparison()
    assert evidence.protocol["bootstrap_cluster"] == "image"
    assert evidence.benchmarks["final"].device.cores == 2
    assert evidence.histories["baseline"]["iteration"].tolist() == [10, 20, 30, 40]
    assert evidence.readings == {variant: made_up.readings(variant) for variant in VARIANTS}
    assert evidence.behaviours == {variant: made_up.behaviour(variant) for variant in VARIANTS}
    assert evidence.cases["final"] == (project / "reports" / "cases" / "final.jpg").read_bytes()
    assert list(evidence.crops) == ["train", "val", "test"]
    assert evidence.checks["rows"] == {"train": 1, "val": 2}
    assert evidence.profile == (project / "profiles" / "sample.yaml").read_text()
    assert evidence.seed == 44


def test_errors_are_in_torso_diameters_of_50_px(evidence: Evidence) -> None:
    baseline, final = np.zeros((6, 11)), np.zeros((6, 11))
    baseline[:, WRISTS] = 0.4  # 20 px
    final[0] = 0.28  # 14 px
    np.testing.assert_allclose(evidence.errors["baseline"], baseline, atol=1e-9)
    np.testing.assert_allclose(evidence.errors["final"], final, atol=1e-9)


def test_people_of_one_picture_are_resampled_together(evidence: Evidence) -> None:
    assert evidence.clusters.tolist() == [f"pictures/{name}.png" for name in "abcdee"]


def test_variants_are_compared_on_the_same_people(evidence: Evidence) -> None:
    (compared,) = evidence.differences
    assert (compared["variant"], compared["against"], compared["n"]) == ("final", "baseline", 6)
    at = compared["pck"]["0.2"]
    # final misses one of six people, baseline two of eleven joints.
    assert at["mean"]["difference"] == pytest.approx(100 * (5 / 6 - 9 / 11), abs=1e-3)
    assert at["wrist"]["difference"] == pytest.approx(100 * 5 / 6, abs=1e-3)
    assert at["elbow"]["difference"] == pytest.approx(-100 / 6, abs=1e-3)
    assert at["wrist"]["verdict"] == "better"


def test_six_people_are_too_few_for_parts(evidence: Evidence) -> None:
    assert list(evidence.slices) == VARIANTS
    found = {(one["slice"], one["value"]): one for one in evidence.slices["final"]}
    assert found["annotated", "twice"]["n"] == 2
    assert found["annotated", "once"]["n"] == 4
    assert {one["note"] for one in found.values()} == {"fewer than 30 people"}


def test_two_annotations_of_one_person_are_found(evidence: Evidence) -> None:
    np.testing.assert_allclose(evidence.pairs, np.full((1, 11), 0.1))
    assert evidence.agreements["test"]["pairs"] == 1
    assert evidence.agreements["test"]["pck"]["0.05"]["mean"] == 0.0
    assert evidence.agreements["test"]["pck"]["0.2"]["mean"] == 100.0
    assert evidence.agreements["train and val"]["pairs"] == 0


def test_sheets_are_pictures(evidence: Evidence) -> None:
    def shape(jpeg: bytes) -> tuple[int, ...]:
        picture = images.decode(jpeg)
        assert picture is not None
        return picture.shape

    # Cells of 240 px with 22 px of text, 6 px between them: three rows of two people, and six rows of two variants.
    assert {shape(sheet) for sheet in evidence.sheets.values()} == {(3 * 268 + 6, 2 * 246 + 6, 3)}
    assert shape(evidence.hardest) == (6 * 268 + 6, 2 * 246 + 6, 3)


@pytest.mark.parametrize(
    ("path", "stage"),
    [
        ("reports/metrics/final.json", "evaluate@final"),
        ("reports/parity/baseline.json", "convert@baseline"),
        ("reports/benchmark/final.json", "benchmark@final"),
        ("reports/readings/final.json", "evaluate@final"),
        ("reports/behaviour/baseline.json", "evaluate@baseline"),
        ("reports/cases/final.jpg", "evaluate@final"),
        ("reports/history/final.csv", "fine_tune@final"),
        ("reports/predictions/final.csv", "evaluate@final"),
        ("reports/crops/train.jpg", "augment"),
        ("data/annotations/checks.json", "validate"),
        ("data/annotations/annotations.parquet", "validate"),
    ],
)
def test_a_missing_file_names_the_stage_that_writes_it(
    project: Path, tmp_path: Path, path: str, stage: str
) -> None:
    copy = Path(shutil.copytree(project, tmp_path / "project"))
    (copy / path).unlink()
    with pytest.raises(InputError, match=re.escape(f"{copy / path}: no such file; `dvc repro {stage}` writes it")):
        made_up.read(copy)


def test_predictions_of_people_in_another_order_are_refused(project: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(project, tmp_path / "project"))
    path = copy / "reports" / "predictions" / "final.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(rows)]) + "\n")
    with pytest.raises(InputError, match=re.escape("other people than baseline's; run `dvc repro evaluate@final`")):
        made_up.read(copy)
