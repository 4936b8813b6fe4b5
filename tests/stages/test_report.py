import json
import re
import shutil
from pathlib import Path

import pytest
from support import synthetic_report, yaml
from support.synthetic_report import VARIANTS

from splitpose import images
from splitpose.errors import InputError
from splitpose.report.inputs import ReportInputs
from splitpose.stages.report import report

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def project(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on which the stages compare and report have run."""
    folder = tmp_path_factory.mktemp("synthetic") / "project"
    root = synthetic_report.write_project(folder, repository / "profiles" / "sample.yaml")
    synthetic_report.run_compare(root)
    run(root)
    return root


@pytest.fixture(scope="module")
def inputs(project: Path) -> ReportInputs:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        return synthetic_report.read(project)


def run(root: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        data = Path("data")
        report(Path("profiles/sample.yaml"), Path("params.yaml"), data, data / "annotations", Path("reports"))


def test_markdown_links_existing_images(project: Path) -> None:
    text = (project / "reports" / "comparison.md").read_text()
    links = re.findall(r"^!\[.*\]\((.*)\)$", text, re.MULTILINE)
    assert len(links) == 16
    figures = project / "reports" / "figures"
    assert {project / "reports" / link for link in links} == set(figures.iterdir())
    for path in figures.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG" if path.suffix == ".png" else b"\xff\xd8\xff")


def test_page_reports_missing_git_and_dvc(project: Path) -> None:
    page = (project / "reports" / "index.html").read_text()
    assert '<th scope="row">git commit</th><td>no git</td>' in page
    assert "dvc.lock: no such file; run the pipeline first" in page
    assert "There is no previous state to compare with" in page


def test_the_same_bytes_every_time_except_for_the_date(project: Path) -> None:
    def contents() -> dict[Path, bytes]:
        found = {path: path.read_bytes() for path in (project / "reports").rglob("*") if path.is_file()}
        page = project / "reports" / "index.html"
        found[page], dates = re.subn(rb"<time .*?</time>", b"", found[page], flags=re.DOTALL)
        assert dates == 1
        return found

    before = contents()
    run(project)
    assert contents() == before


def test_training_times_are_summed_over_the_repeats(project: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(project, tmp_path / "project"))
    params = root / "params.yaml"
    params.write_text(re.sub("^repeats: .*\n", "", params.read_text(), flags=re.M) + "repeats: [1, 3]\n")
    times = {("baseline", "fine_tune"): 50.5, ("final", "fine_tune"): None}
    for variant in VARIANTS:
        for stage, seconds in synthetic_report.TRAINING_SECONDS.items():
            path = root / "reports" / "training_time" / stage / f"{variant}-3.json"
            path.write_text(json.dumps({f"{stage}_seconds": times.get((variant, stage), seconds)}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        timings = synthetic_report.read(root).timings
    assert timings == {
        "baseline": {"train_frozen_seconds": 120.0, "fine_tune_seconds": 350.5},
        "final": {"train_frozen_seconds": 120.0, "fine_tune_seconds": None},
    }


def test_training_times_of_other_weights_and_missing_ones_are_unknown(project: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(project, tmp_path / "project"))
    folder = root / "reports" / "training_time"
    (folder / "train_frozen" / "baseline-1.json").unlink()
    for variant, md5 in (("baseline", "a1"), ("final", "b2")):
        path = folder / "fine_tune" / f"{variant}-1.json"
        path.write_text(json.dumps({"fine_tune_seconds": 9.5, "weights_md5": md5}))
    weights = {"path": "models/repeats/1/final.weights.h5", "md5": "a1"}
    stages = {f"fine_tune@{variant}-1": {"cmd": "train", "outs": [weights]} for variant in VARIANTS}
    (root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        timings = synthetic_report.read(root).timings
    assert timings == {
        "baseline": {"train_frozen_seconds": None, "fine_tune_seconds": 9.5},
        "final": {"train_frozen_seconds": 60.0, "fine_tune_seconds": None},
    }


def test_inputs_are_the_files_of_the_stages(inputs: ReportInputs, project: Path) -> None:
    assert inputs.comparison == synthetic_report.comparison()
    assert inputs.protocol["bootstrap_cluster"] == "image"
    assert inputs.benchmarks["final"].device.cores == 2
    assert inputs.histories["baseline"]["iteration"].tolist() == [10, 20, 30, 40]
    assert inputs.decodings == {variant: synthetic_report.decodings(variant) for variant in VARIANTS}
    assert inputs.robustness == {variant: synthetic_report.robustness(variant) for variant in VARIANTS}
    assert inputs.case_sheets["final"] == (project / "reports" / "cases" / "final.jpg").read_bytes()
    assert list(inputs.crop_sheets) == ["train", "val", "test"]
    assert inputs.validation_summary["rows"] == {"train": 1, "val": 2}
    assert inputs.profile_text == (project / "profiles" / "sample.yaml").read_text()
    analysis = project / "reports" / "analysis"
    assert inputs.slices == json.loads((analysis / "slices.json").read_text())
    assert inputs.recommendation == json.loads((analysis / "recommendation.json").read_text())
    seconds = {f"{stage}_seconds": time for stage, time in synthetic_report.TRAINING_SECONDS.items()}
    assert inputs.timings == dict.fromkeys(VARIANTS, seconds)
    assert (inputs.comparators, inputs.previous) == (None, None)


def test_sheets_are_images(inputs: ReportInputs) -> None:
    def shape(jpeg: bytes) -> tuple[int, ...]:
        image = images.decode(jpeg)
        assert image is not None
        return image.shape

    # Cells of 240 px with 22 px of text, 6 px between them: three rows of two people, and six rows of two variants.
    assert {shape(sheet) for sheet in inputs.prediction_sheets.values()} == {(3 * 268 + 6, 2 * 246 + 6, 3)}
    assert shape(inputs.hardest_sheet) == (6 * 268 + 6, 2 * 246 + 6, 3)


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(project, tmp_path / "project"))


def read_in(folder: Path) -> ReportInputs:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return synthetic_report.read(folder)


def test_optional_files_are_read_if_they_exist(copy: Path) -> None:
    comparators = {"profile": "sample", "device": {}}
    (copy / "reports" / "comparators.json").write_text(json.dumps(comparators))
    inputs = read_in(copy)
    assert inputs.comparators == comparators


@pytest.mark.parametrize("content", [{"profile": "flic"}, {}])
def test_comparators_of_another_profile_are_ignored(copy: Path, content: dict[str, str]) -> None:
    (copy / "reports" / "comparators.json").write_text(json.dumps(content))
    assert read_in(copy).comparators is None


def test_broken_comparators_name_the_command(copy: Path) -> None:
    (copy / "reports" / "comparators.json").write_text("{")
    with pytest.raises(InputError, match="run `make comparators` again"):
        read_in(copy)


@pytest.mark.parametrize(
    ("path", "producer"),
    [
        ("reports/comparison.json", "compare"),
        ("reports/analysis/recommendation.json", "compare"),
        ("reports/analysis/paired_differences.json", "compare"),
        ("reports/analysis/slices.json", "compare"),
        ("reports/analysis/pck_curves.json", "compare"),
        ("reports/analysis/annotator_agreement.json", "compare"),
        ("reports/analysis/selected_instances.json", "compare"),
        ("reports/metrics/final.json", "evaluate@final"),
        ("reports/benchmark/final.json", "benchmark@final"),
        ("reports/decodings/final.json", "evaluate@final"),
        ("reports/robustness/baseline.json", "evaluate@baseline"),
        ("reports/cases/final.jpg", "evaluate@final"),
        ("reports/history/final.csv", "select@final"),
        ("reports/predictions/final.csv", "evaluate@final"),
        ("reports/crops/train.jpg", "augment"),
        ("data/annotations/checks.json", "validate"),
        ("data/annotations/annotations.parquet", "validate"),
    ],
)
def test_a_missing_file_names_the_stage_that_writes_it(copy: Path, path: str, producer: str) -> None:
    (copy / path).unlink()
    with pytest.raises(
        InputError, match=re.escape(f"{copy / path}: no such file; `dvc repro {producer}` writes it")
    ):
        read_in(copy)
