from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from splitpose.report import comparators, markdown, page
from splitpose.report.builder import build_report
from splitpose.report.document import Facts, Image, Report, Section, Table
from splitpose.report.figures import label_placement, latency, style
from splitpose.report.inputs import ReportInputs

pytestmark = pytest.mark.integration


def network(kind: str, parameters: int, ms: float, **more: Any) -> dict[str, Any]:
    measurement = {"size": 224, "macs": 570_000_000, "p95_ms": 2 * ms, "fully_delegated": True}
    return {"kind": kind, "parameters": parameters, "p50_ms": ms, **measurement, **more}


MEASURED = {
    "profile": "sample",
    "device": {"cpu": "synthetic", "cores": 2},
    "baseline": network("ours", 3_250_000, 8.0),
    "OpenPose": network("pose", 52_311_446, 2000.0, size=368, year=2017, macs=136_000_000_000),
    "small": network("classifier", 1_240_000, 4.0, year=2016, fully_delegated=False),
    "baseline, as trained": network("ours", 830_000, 0.5, size=96, as_trained=True),
}


def paper_section(report: Report) -> Section:
    return next(section for section in report.sections if section.anchor == "paper")


def test_one_row_per_network_the_fastest_first() -> None:
    table = comparators.networks_table(MEASURED)
    assert table.headers[-2:] == ("relative to baseline", "fully delegated")
    assert table.rows == (
        ("baseline, as trained (ours)", "–", "96", "0.83", "0.57", "0.50", "1.00", "0.06", "yes"),
        ("small", "2016", "224", "1.24", "0.57", "4.00", "8.00", "0.50", "no"),
        ("baseline (ours)", "–", "224", "3.25", "0.57", "8.00", "16.00", "1.00", "yes"),
        ("OpenPose", "2017", "368", "52.31", "136.00", "2000.00", "4000.00", "250.00", "yes"),
    )


def test_without_a_baseline_there_is_no_ratio() -> None:
    found = {name: one for name, one in MEASURED.items() if name != "baseline"}
    assert {row[-2] for row in comparators.networks_table(found).rows} == {"–"}


def test_without_measurements_the_report_names_the_file(inputs: ReportInputs, report: Report) -> None:
    assert inputs.comparators is None
    section = paper_section(report)
    assert section.text == (comparators.NOT_MEASURED,)
    assert "figures/latency_parameters.png" not in [image.name for image in report.images()]


def test_with_measurements_the_report_has_table_figure_and_device(
    inputs: ReportInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    plotted: list[dict[str, Any]] = []

    def plot(networks: dict[str, Any]) -> bytes:
        plotted.append(networks)
        return b"\x89PNG"

    monkeypatch.setattr(latency, "plot_latency_parameters", plot)
    section = paper_section(build_report(replace(inputs, comparators=MEASURED)))
    assert section.text == ()
    table, image, device = (
        block for block in section.blocks if "etwork" in block.title or "parameters" in block.title
    )
    assert isinstance(table, Table)
    assert isinstance(image, Image)
    assert image.name == "figures/latency_parameters.png"
    assert device == Facts("Device of the other networks", (("cpu", "synthetic"), ("cores", "2")))
    assert [list(networks) for networks in plotted] == [
        ["small", "baseline", "OpenPose"]
    ]  # at comparable sizes alone


def test_page_and_markdown_show_it(inputs: ReportInputs) -> None:
    report = build_report(replace(inputs, comparators=MEASURED))
    assert "| OpenPose | 2017 | 368 | 52.31 | 136.00 | 2000.00 | 4000.00 | 250.00 | yes |" in markdown.render(
        report
    )
    html = page.render(report, datetime(2025, 11, 27, tzinfo=UTC))
    assert '<th scope="row">OpenPose</th><td>2017</td>' in html
    assert comparators.NOT_MEASURED.partition("'")[0] not in html


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Figure:
    monkeypatch.setattr(style, "to_png", lambda figure: figure)
    figure = latency.plot_latency_parameters(comparators.sort_networks(MEASURED))
    assert isinstance(figure, Figure)
    return figure


def test_figure_1_shows_each_network_where_it_belongs(drawn: Figure) -> None:
    (axes,) = drawn.axes
    offsets = {str(one.get_label()): np.asarray(one.get_offsets()).tolist() for one in axes.collections}
    assert offsets["ours"] == [[0.83, 0.5], [3.25, 8.0]]
    assert offsets["classifier"] == [[1.24, 4.0]]
    assert offsets["pose"] == [[52.311446, 2000.0]]
    colours = {tuple(np.asarray(one.get_facecolor())[0]) for one in axes.collections}
    assert len(colours) == 3
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    names = [text.get_text() for text in axes.texts if text.get_text()]
    assert names == ["baseline, as trained (96 px)", "baseline", "OpenPose (368 px)", "small"]


def test_figure_1_has_the_same_bytes_every_time() -> None:
    networks = comparators.sort_networks(MEASURED)
    png = latency.plot_latency_parameters(networks)
    assert png.startswith(b"\x89PNG")
    assert latency.plot_latency_parameters(networks) == png


def test_names_of_close_points_cover_neither_each_other_nor_points() -> None:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    points = [(1 + 0.01 * k, 1 + 0.02 * (k % 3)) for k in range(8)] + [(0.0, 0.0), (2.0, 2.0)]
    axes.scatter(*zip(*points, strict=True))
    boxes = label_placement.place_labels(
        figure, axes, points, [f"a rather long name {k}" for k in range(len(points))]
    )
    figure.draw_without_rendering()
    written = [text.get_window_extent() for text in axes.texts if text.get_text()]
    for k, box in enumerate(written):
        np.testing.assert_allclose(box.extents, boxes[k].extents, atol=1)
        assert not any(box.overlaps(other) for other in written[:k])
        assert not any(box.contains(*centre) for centre in axes.transData.transform(points))
        assert axes.get_window_extent().padded(1).overlaps(box)
        assert figure.bbox.containsx(box.x0) and figure.bbox.containsx(box.x1)
