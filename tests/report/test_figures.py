import struct
from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from support.synthetic_report import VARIANTS, benchmark, comparison, history, robustness

from splitpose.benchmark.schema import Benchmark
from splitpose.evaluation.pck_curves import pck_curves
from splitpose.report.figures import accuracy, latency, style, training
from splitpose.skeleton import INDEX

Draw = Callable[[str], bytes]
"""Plots a figure for a description of the data."""


def halves(low: float, high: float, people: int) -> np.ndarray:
    """Return (N, K) errors: every other person has the lower one at all joints, the others the higher one."""
    return np.repeat(np.tile([low, high], people // 2)[:, None], 11, axis=1)


def with_gaps(errors: np.ndarray) -> np.ndarray:
    """Return the errors with an unscored person and a missing prediction."""
    errors = errors.copy()
    errors[0], errors[1, INDEX["lwri"]] = np.nan, np.inf
    return errors


ERRORS = {"baseline": halves(0.1, 0.25, 20), "final": with_gaps(halves(0.05, 0.15, 20))}
CURVES = pck_curves(ERRORS, seed=0, annotator_distances=halves(0.02, 0.12, 4))
HISTORIES = {variant: history() for variant in VARIANTS}
BENCHMARKS = {variant: Benchmark.model_validate(benchmark(variant)) for variant in VARIANTS}
BEST_ITERATIONS = dict.fromkeys(VARIANTS, 30)
ROBUSTNESS = {variant: robustness(variant) for variant in VARIANTS}

PLOTS: dict[str, Draw] = {
    "joint_pck": lambda data: accuracy.plot_joint_pck(comparison(), data),
    "pck_curves": lambda data: accuracy.plot_pck_curves(CURVES, data),
    "robustness": lambda data: accuracy.plot_robustness(ROBUSTNESS, data),
    "losses": lambda data: training.plot_losses(HISTORIES, data),
    "validation_pck": lambda data: training.plot_validation_pck(HISTORIES, BEST_ITERATIONS, data),
    "latency_accuracy": lambda data: latency.plot_latency_accuracy(comparison(), data),
    "latency_threads": lambda data: latency.plot_latency_threads(BENCHMARKS, data),
    "operators": lambda data: latency.plot_operator_timings(BENCHMARKS, data),
}

every_figure = pytest.mark.parametrize("draw", PLOTS.values(), ids=PLOTS)


def chunks(png: bytes) -> list[bytes]:
    """Return the names of a PNG's chunks."""
    at, found = 8, []
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append(png[at + 4 : at + 8])
        at += length + 12
    return found


@every_figure
def test_same_bytes_every_time_and_no_date_or_software_in_them(draw: Draw) -> None:
    png = draw("synthetic people")
    assert png.startswith(b"\x89PNG")
    assert set(chunks(png)) <= {b"IHDR", b"pHYs", b"IDAT", b"IEND"}
    assert draw("synthetic people") == png


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Figure]:
    """Return figures as matplotlib's own, so that a test can inspect them."""
    monkeypatch.setattr(style, "to_png", lambda figure: figure)

    def as_figure(png: bytes) -> Figure:
        assert isinstance(png, Figure)
        return png

    return as_figure


def texts(figure: Figure) -> str:
    """Return all labels of the axes and of the figure."""
    labels = [text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel())]
    return "\n".join([figure.get_supxlabel(), figure.get_supylabel(), *labels])


@every_figure
def test_every_figure_names_the_data(draw: Draw, drawn: Callable[[bytes], Figure]) -> None:
    assert "synthetic people" in texts(drawn(draw("synthetic people")))
    assert "synthetic" not in texts(drawn(draw("profile flic")))


def test_matplotlibs_settings_are_unchanged() -> None:
    before = dict(matplotlib.rcParams)
    training.plot_validation_pck({"a": history()}, {"a": 30}, "")
    assert dict(matplotlib.rcParams) == before


def test_numbers_change_the_figure() -> None:
    content = comparison()
    content["variants"]["final"]["pck"]["0.2"]["nose"] = 70.0
    assert accuracy.plot_joint_pck(content, "synthetic people") != PLOTS["joint_pck"]("synthetic people")
    content["variants"]["final"]["tflite"]["int8"]["p50_ms"] = 1.0
    assert latency.plot_latency_accuracy(content, "synthetic people") != PLOTS["latency_accuracy"](
        "synthetic people"
    )


def test_scores_without_intervals_are_drawn(recwarn: pytest.WarningsRecorder) -> None:
    """Test several seeds on people of one bootstrap cluster."""
    content = comparison(repeats=3)
    for variant in content["variants"].values():
        variant["pck"]["0.2"]["ci95"] = dict.fromkeys(variant["pck"]["0.2"]["ci95"])
    assert accuracy.plot_joint_pck(content, "data").startswith(b"\x89PNG")
    assert not recwarn.list


def test_a_joint_without_annotations_is_left_out() -> None:
    content = comparison()
    at = content["variants"]["final"]["pck"]["0.2"]
    for joint in ("nose", "mean"):
        at[joint] = at["ci95"][joint] = None
    assert accuracy.plot_joint_pck(content, "").startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [1, 3, 9])
def test_any_number_of_variants(count: int) -> None:
    histories = {f"variant_with_a_long_name_{k}": history() for k in range(count)}
    assert training.plot_losses(histories, "").startswith(b"\x89PNG")
    assert training.plot_validation_pck(histories, dict.fromkeys(histories, 30), "").startswith(b"\x89PNG")


def line(axes: Axes, name: str) -> dict[float, float]:
    """Return the line of this name as {x: y}."""
    (found,) = (one for one in axes.lines if one.get_label() == name)
    x, y = (np.asarray(data, float) for data in found.get_data())
    return dict(zip(x.round(3).tolist(), y.tolist(), strict=True))


def band(axes: Axes, k: int, x: float) -> list[float]:
    """Return the lower and upper edge of the k-th band."""
    collection = axes.collections[k]
    points = np.asarray(collection.get_paths()[0].vertices, float)
    heights = points[np.isclose(points[:, 0], x), 1]
    return [heights.min(), heights.max()]


def test_pck_curves_with_bands(drawn: Callable[[bytes], Figure]) -> None:
    figure = drawn(accuracy.plot_pck_curves(CURVES, "synthetic people"))
    elbows, wrists = figure.axes
    assert (elbows.get_title(), wrists.get_title()) == ("elbows", "wrists")
    for axes, group in ((elbows, "elbow"), (wrists, "wrist")):
        for k, variant in enumerate(VARIANTS):
            curve = CURVES["variants"][variant][group]
            assert list(line(axes, variant).values()) == curve["pck"]
            at = CURVES["thresholds"].index(0.2)
            assert band(axes, k, 0.2) == curve["ci95"][at]
        agreement = line(axes, "two annotators")
        assert [agreement[at] for at in (0.015, 0.02, 0.115, 0.12)] == [0, 50, 50, 100]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["baseline", "final", "two annotators"]


def test_without_annotators_there_is_no_line_for_them(drawn: Callable[[bytes], Figure]) -> None:
    figure = drawn(accuracy.plot_pck_curves(CURVES | {"annotators": None}, ""))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["baseline", "final"]


def test_a_group_without_annotations_draws_nothing(drawn: Callable[[bytes], Figure]) -> None:
    errors = halves(0.1, 0.25, 400)
    errors[:, [INDEX["lwri"], INDEX["rwri"]]] = np.nan
    elbows, wrists = drawn(accuracy.plot_pck_curves(pck_curves({"final": errors}, seed=0), "")).axes
    assert line(elbows, "final")[0.2] == 50
    assert np.isnan(list(line(wrists, "final").values())).all()


def test_a_dot_marks_the_best_iteration(drawn: Callable[[bytes], Figure]) -> None:
    (axes,) = drawn(training.plot_validation_pck({"a": history()}, {"a": 30}, "")).axes
    (dot,) = (one for one in axes.lines if one.get_marker() == "o")
    assert [np.asarray(values).tolist() for values in dot.get_data()] == [[30], [70.0]]


def test_unused_panels_are_hidden(drawn: Callable[[bytes], Figure]) -> None:
    figure = drawn(training.plot_losses({name: history() for name in "abc"}, ""))
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]


def test_robustness_shows_every_step_and_the_mean_pose(drawn: Callable[[bytes], Figure]) -> None:
    brightness, blur = drawn(accuracy.plot_robustness(ROBUSTNESS, "")).axes
    assert line(brightness, "final") == {1.0: 90.0, 0.4: 84.6}
    assert line(blur, "baseline") == {0.0: 90.0, 3.0: 70.0}
    assert brightness.get_xlim()[0] > brightness.get_xlim()[1]  # darker to the right
    assert blur.get_xlim()[0] < blur.get_xlim()[1]
    for axes in (brightness, blur):
        assert [61.5, 61.5] in [np.asarray(one.get_ydata()).tolist() for one in axes.lines]


def test_operators_are_summed_over_number_formats() -> None:
    timings = BENCHMARKS["final"].models["float32"].operator_timings  # 8 ms: two products and a convolution
    assert latency.sum_by_kind(timings) == pytest.approx(
        {"Fully Connected GEMM": 16 / 3, "Convolution DWConv": 8 / 3}
    )


def test_threads_have_a_panel_per_precision_and_a_tick_per_number(drawn: Callable[[bytes], Figure]) -> None:
    float32, int8 = drawn(latency.plot_latency_threads(BENCHMARKS, "")).axes
    assert line(float32, "final") == {1.0: 8.0, 2.0: 4.0}
    assert line(int8, "baseline") == {1.0: 3.0, 2.0: 1.5}
    for axes, title in ((float32, "float32"), (int8, "int8")):
        assert (axes.get_title(), axes.get_xscale(), axes.get_yscale()) == (title, "log", "log")
        assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2"]


def test_threads_in_any_order_are_one_line_from_few_to_many(drawn: Callable[[bytes], Figure]) -> None:
    found = BENCHMARKS["final"]
    models = {
        name: one.model_copy(update={"by_threads": one.by_threads[::-1]}) for name, one in found.models.items()
    }
    turned = Benchmark.model_validate({"device": found.device} | models)
    axes = drawn(latency.plot_latency_threads({"final": turned}, "")).axes[0]
    assert list(line(axes, "final")) == [1.0, 2.0]
