import json
import re
from pathlib import Path

import pytest
from support import synthetic_report as made_up

from splitpose.stages.report import report


@pytest.fixture(scope="module")
def project(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, its report and all."""
    root = made_up.project(tmp_path_factory.mktemp("made_up") / "project", repository / "profiles" / "sample.yaml")
    run(root)
    return root


def run(root: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        data = Path("data")
        report(Path("profiles/sample.yaml"), Path("params.yaml"), data, data / "annotations", Path("reports"))


def test_markdown_links_pictures_that_are_there(project: Path) -> None:
    text = (project / "reports" / "comparison.md").read_text()
    links = re.findall(r"^!\[.*\]\((.*)\)$", text, re.MULTILINE)
    assert len(links) == 16
    figures = project / "reports" / "figures"
    assert {project / "reports" / link for link in links} == set(figures.iterdir())
    for path in figures.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG" if path.suffix == ".png" else b"\xff\xd8\xff")


def test_numbers_for_other_programs(project: Path) -> None:
    def content(name: str) -> object:
        return json.loads((project / "reports" / name).read_text())

    assert content("comparison.json") == made_up.comparison()
    (compared,) = json.loads((project / "reports" / "differences.json").read_text())
    assert compared["pck"]["0.2"]["wrist"]["difference"] == 83.333
    assert json.loads((project / "reports" / "label_ceiling.json").read_text())["test"]["pairs"] == 1
    assert list(json.loads((project / "reports" / "slices.json").read_text())) == made_up.VARIANTS
    assert {path.name for path in (project / "reports" / "plots").iterdir()} == {"training.csv", "thresholds.csv"}


def test_without_git_and_dvc_the_page_says_so(project: Path) -> None:
    page = (project / "reports" / "index.html").read_text()
    assert '<th scope="row">git commit</th><td>no git</td>' in page
    assert "dvc.lock: no such file; `dvc repro` writes it" in page


def test_the_same_bytes_every_time(project: Path) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (project / "reports").rglob("*") if path.is_file()}

    before = files()
    run(project)
    assert files() == before
