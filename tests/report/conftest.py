from pathlib import Path

import numpy as np
import pytest
from support import synthetic_report as made_up

from splitpose import drawing
from splitpose.report import case_sheet, prediction_sheet, sections
from splitpose.report.document import Report
from splitpose.report.results import Evidence


@pytest.fixture(scope="session")
def project(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on disk, all but the report. Only to be read: copy it to change it."""
    return made_up.project(tmp_path_factory.mktemp("made_up") / "project", repository / "profiles" / "sample.yaml")


@pytest.fixture(scope="session")
def evidence(project: Path) -> Evidence:
    return made_up.read(project)


@pytest.fixture(scope="session")
def whole(evidence: Evidence) -> Report:
    """The report on it."""
    return sections.report(evidence, made_up.LINEAGE)


@pytest.fixture
def captions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written below the cells of a sheet, in their order."""
    seen: list[str] = []

    def captioned(cell: np.ndarray, text: str) -> np.ndarray:
        seen.append(text)
        return drawing.captioned(cell, text)

    for sheet in (prediction_sheet, case_sheet):
        monkeypatch.setattr(sheet, "captioned", captioned)
    return seen
