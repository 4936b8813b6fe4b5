from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import synthetic_report

from splitpose import drawing
from splitpose.report import case_sheet, prediction_sheet
from splitpose.report.builder import build_report
from splitpose.report.document import Report
from splitpose.report.inputs import ReportInputs


@pytest.fixture(scope="session")
def inputs(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    """The inputs of the report on a synthetic project, with a synthetic lineage."""
    return _read_inputs(repository, tmp_path_factory.mktemp("synthetic") / "project", repeats=1)


@pytest.fixture(scope="session")
def repeated_inputs(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    """The same with three repeats of each variant."""
    return _read_inputs(repository, tmp_path_factory.mktemp("repeated") / "project", repeats=3)


def _read_inputs(repository: Path, folder: Path, repeats: int) -> ReportInputs:
    project = synthetic_report.write_project(folder, repository / "profiles" / "sample.yaml", repeats)
    synthetic_report.run_compare(project)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        return replace(synthetic_report.read(project), lineage=synthetic_report.LINEAGE)


@pytest.fixture(scope="session")
def report(inputs: ReportInputs) -> Report:
    """The report on these inputs."""
    return build_report(inputs)


@pytest.fixture
def captions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The captions of a sheet's cells in their order."""
    seen: list[str] = []

    def add_caption(cell: np.ndarray, text: str) -> np.ndarray:
        seen.append(text)
        return drawing.add_caption(cell, text)

    for sheet in (prediction_sheet, case_sheet):
        monkeypatch.setattr(sheet, "add_caption", add_caption)
    return seen
