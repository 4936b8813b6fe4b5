"""The consistency checks of annotations accept correct people in cropped, resized and truncated images."""

import importlib.util
import sys

import pytest


@pytest.fixture(scope="module")
def script(repository):
    spec = importlib.util.spec_from_file_location(
        "annotation_checks", repository / "benchmarks/annotation_checks.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def sources(script, shared, tmp_path_factory):
    tables = script.read_sources(shared, tmp_path_factory.mktemp("none") / "rendered.parquet")
    return {name: tables[name] for name in ("flic", "coco_mini")}


def test_correct_files_pass(script, sources):
    rows = list(script.check_correct_files(sources, 42))
    assert {row["images"] for row in rows} == set(script.VIEWS)
    assert [sum(row[name] for row in rows) for name in ("findings", "fails", "errors")] == [0, 0, 0]
    assert sum(row["warnings"] for row in rows) <= 0.005 * sum(row["rows"] for row in rows)


def test_wrong_files_are_found_with_their_cause(script, sources, monkeypatch):
    names = ("joints in percent", "joints in 0..1", "boxes of corners", "boxes of centre and size")
    monkeypatch.setattr(script, "MISTAKES", {name: script.MISTAKES[name] for name in names})
    monkeypatch.setattr(script, "WRONG_PEOPLE", (10,))
    rows = list(script.check_wrong_files(sources, 3))
    assert all(row["findings"] for row in rows)
    assert sum(row["is_right"] for row in rows) >= 0.9 * len(rows)
