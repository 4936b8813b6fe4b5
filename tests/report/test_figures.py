import struct
from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from support.synthetic_report import VARIANTS, behaviour, benchmark, comparison, history

from splitpose.benchmark.schema import Benchmark
from splitpose.report import figures
from splitpose.skeleton import INDEX

PEOPLE = 400

Draw = Callable[[str], bytes]
"""Who was measured -> a figure."""


def halves(low: float, high: float, people: int = PEOPLE) -> np.ndarray:
    """(N, K) errors: every other person has the lower one at all joints, the others the higher one."""
    return np.repeat(np.tile([low, high], people // 2)[:, None], 11, axis=1)


def unscored(errors: np.ndarray) -> np.ndarray:
    """The same, with a person who is not scored and a joint that is nowhere near."""
    errors = errors.copy()
    errors[0], errors[1, INDEX["lwri"]] = np.nan, np.inf
    return errors


ERRORS = {"baseline": halves(0.1, 0.25, 20), "final": unscored(halves(0.05, 0.15, 20))}
HISTORIES = {variant: history() for variant in VARIANTS}
BENCHMARKS = {variant: Benchmark.model_validate(benchmark(variant)) for variant in VARIANTS}
BEHAVIOURS = {variant: behaviour(variant) for variant in VARIANTS}

DRAWN: dict[str, Draw] = {
    "joint_scores": lambda people: figures.joint_scores(comparison(), people),
    "threshold_curves": lambda people: figures.threshold_curves(ERRORS, people, seed=0),
    "robustness": lambda people: figures.robustness(BEHAVIOURS, people),
    "loss_curves": lambda people: figures.loss_curves(HISTORIES, people),
    "validation_curves": lambda people: figures.validation_curves(HISTORIES, people),
    "latency_accuracy": lambda people: figures.latency_accuracy(comparison(), people),
    "latency_threads": lambda people: figures.latency_threads(BENCHMARKS, people),
    "operators": lambda people: figures.operators(BENCHMARKS, people),
}

every_figure = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)


def chunks(png: bytes) -> list[bytes]:
    """Names of a PNG's chunks."""
    at, found = 8, []
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append(png[at + 4 : at + 8])
        at += length + 12
    return found


@every_figure
def test_same_bytes_every_time_and_no_date_or_software_in_them(draw: Draw) -> None:
    png = draw("made-up people")
    assert png.startswith(b"\x89PNG")
    assert set(chunks(png)) <= {b"IHDR", b"pHYs", b"IDAT", b"IEND"}
    assert draw("made-up people") == png


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Figure]:
    """Figures come as matplotlib's own, so that a test can ask what is in them."""
    monkeypatch.setattr(figures, "_png", lambda figure: figure)

    def as_figure(png: bytes) -> Figure:
        assert isinstance(png, Figure)
        return png

    return as_figure


def texts(figure: Figure) -> str:
    """All that is written below the axes and beside them."""
    labels = [text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel())]
    return "\n".join([figure.get_supxlabel(), figure.get_supylabel(), *labels])


@every_figure
def test_every_figure_says_who_was_measured(draw: Draw, drawn: Callable[[bytes], Figure]) -> None:
    assert "rendered stand-in people" in texts(drawn(draw("rendered stand-in people")))
    assert "stand-in" not in texts(drawn(draw("profile flic")))


def test_matplotlibs_settings_are_left_as_they_were() -> None:
    before = dict(matplotlib.rcParams)
    figures.validation_curves({"a": history()}, "")
    assert dict(matplotlib.rcParams) == before


def test_numbers_change_the_picture() -> None:
    content = comparison()
    content["variants"]["final"]["pck"]["0.2"]["nose"] = 70.0
    assert figures.joint_scores(content, "made-up people") != DRAWN["joint_scores"]("made-up people")
    content["variants"]["final"]["tflite"]["int8"]["p50_ms"] = 1.0
    assert figures.latency_accuracy(content, "made-up people") != DRAWN["latency_accuracy"]("made-up people")


def test_a_joint_nobody_has_is_left_out() -> None:
    content = comparison()
    at = content["variants"]["final"]["pck"]["0.2"]
    for joint in ("nose", "mean"):
        at[joint] = at["ci95"][joint] = None
    assert figures.joint_scores(content, "").startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [1, 3, 9])
def test_any_number_of_variants(count: int) -> None:
    histories = {f"variant_with_a_long_name_{k}": history() for k in range(count)}
    assert figures.loss_curves(histories, "").startswith(b"\x89PNG")
    assert figures.validation_curves(histories, "").startswith(b"\x89PNG")


def line(axes: Axes, name: str) -> dict[float, float]:
    """The line of this name: {x: y}."""
    (found,) = (one for one in axes.lines if one.get_label() == name)
    x, y = (np.asarray(data, float) for data in found.get_data())
    return dict(zip(x.round(3).tolist(), y.tolist(), strict=True))


def band(axes: Axes, x: float) -> list[float]:
    """Lower and upper edge of the only band."""
    (collection,) = axes.collections
    points = np.asarray(collection.get_paths()[0].vertices, float)
    heights = points[np.isclose(points[:, 0], x), 1]
    return [heights.min(), heights.max()]


def test_curves_of_the_paper_with_bands(drawn: Callable[[bytes], Figure]) -> None:
    errors = {"final": halves(0.1, 0.25)}
    elbows, wrists = drawn(figures.threshold_curves(errors, "made-up people", seed=0)).axes
    assert (elbows.get_title(), wrists.get_title()) == ("elbows", "wrists")
    for axes in (elbows, wrists):
        curve = line(axes, "final")
        assert [curve[at] for at in (0.095, 0.1, 0.2, 0.245, 0.25)] == [0, 50, 50, 50, 100]
        # Half of 400 people: 1.96 * sqrt(0.5 * 0.5 / 400) = 4.9 %.
        assert band(axes, 0.2) == pytest.approx([45.1, 54.9], abs=0.8)
        assert band(axes, 0.25) == [100, 100]
        assert "two annotators" not in [one.get_label() for one in axes.lines]


def test_people_of_one_picture_widen_the_bands(drawn: Callable[[bytes], Figure]) -> None:
    four_by_four = np.repeat(np.arange(PEOPLE // 4), 4)
    errors = {"final": np.sort(halves(0.1, 0.25), axis=0)}  # the people of a picture are all found or all missed
    axes = drawn(figures.threshold_curves(errors, "", seed=0, clusters=four_by_four)).axes[0]
    # As if there were 100: 1.96 * sqrt(0.5 * 0.5 / 100) = 9.8 %.
    assert band(axes, 0.2) == pytest.approx([40.2, 59.8], abs=1.5)


def test_the_annotators_have_a_line_of_their_own(drawn: Callable[[bytes], Figure]) -> None:
    figure = drawn(figures.threshold_curves(ERRORS, "", seed=0, ceiling=halves(0.02, 0.12, 4)))
    for axes in figure.axes:
        curve = line(axes, "two annotators")
        assert [curve[at] for at in (0.015, 0.02, 0.115, 0.12)] == [0, 50, 50, 100]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["baseline", "final", "two annotators"]
    nobody = drawn(figures.threshold_curves(ERRORS, "", seed=0, ceiling=np.empty((0, 11))))
    assert [text.get_text() for text in nobody.legends[0].get_texts()] == ["baseline", "final"]


def test_a_group_that_nobody_has_draws_nothing(drawn: Callable[[bytes], Figure]) -> None:
    errors = halves(0.1, 0.25)
    errors[:, [INDEX["lwri"], INDEX["rwri"]]] = np.nan
    elbows, wrists = drawn(figures.threshold_curves({"final": errors}, "", seed=0)).axes
    assert line(elbows, "final")[0.2] == 50
    assert np.isnan(list(line(wrists, "final").values())).all()


def test_robustness_shows_every_step_and_the_mean_pose(drawn: Callable[[bytes], Figure]) -> None:
    light, blur = drawn(figures.robustness(BEHAVIOURS, "")).axes
    assert line(light, "final") == {1.0: 90.0, 0.4: 84.6}
    assert line(blur, "baseline") == {0.0: 90.0, 3.0: 70.0}
    assert light.get_xlim()[0] > light.get_xlim()[1]  # darker to the right
    assert blur.get_xlim()[0] < blur.get_xlim()[1]
    for axes in (light, blur):
        assert [61.5, 61.5] in [np.asarray(one.get_ydata()).tolist() for one in axes.lines]


def test_operators_are_added_up_whatever_their_number_format() -> None:
    profile = BENCHMARKS["final"].models["float32"].operator_timings  # 8 ms: two products and a convolution
    assert figures._by_kind(profile) == pytest.approx({"Fully Connected GEMM": 16 / 3, "Convolution DWConv": 8 / 3})


def test_threads_have_a_panel_a_precision_and_a_tick_a_number(drawn: Callable[[bytes], Figure]) -> None:
    float32, int8 = drawn(figures.latency_threads(BENCHMARKS, "")).axes
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
    axes = drawn(figures.latency_threads({"final": turned}, "")).axes[0]
    assert list(line(axes, "final")) == [1.0, 2.0]
