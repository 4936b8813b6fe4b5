from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from support.synthetic_report import comparison

from splitpose.benchmark.schema import Benchmark
from splitpose.report.builder import build_report
from splitpose.report.document import Facts, Image, Listing, Report, Section, Table
from splitpose.report.figures import accuracy, latency, training
from splitpose.report.inputs import PreviousComparison, ReportInputs
from splitpose.report.sections import background
from splitpose.report.tables import SYNTHETIC_WARNING

pytestmark = pytest.mark.integration

FIGURES = {
    "joint_pck": (accuracy, "plot_joint_pck"),
    "pck_curves": (accuracy, "plot_pck_curves"),
    "robustness": (accuracy, "plot_robustness"),
    "losses": (training, "plot_losses"),
    "validation_pck": (training, "plot_validation_pck"),
    "latency_accuracy": (latency, "plot_latency_accuracy"),
    "latency_threads": (latency, "plot_latency_threads"),
    "operators": (latency, "plot_operator_timings"),
}
"""The figures by name, and the functions that plot them."""


@pytest.fixture
def plotted(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Any, ...]]:
    """The arguments of each figure by its name. No figure is plotted, which saves a second for each."""
    calls: dict[str, tuple[Any, ...]] = {}

    def fake(name: str) -> Callable[..., bytes]:
        def plot(*arguments: Any) -> bytes:
            calls[name] = arguments
            return b"\x89PNG synthetic"

        return plot

    for name, (module, function) in FIGURES.items():
        monkeypatch.setattr(module, function, fake(name))
    return calls


def section(report: Report, anchor: str) -> Section:
    (found,) = (one for one in report.sections if one.anchor == anchor)
    return found


def titles(report: Report, anchor: str) -> list[str]:
    return [block.title for block in section(report, anchor).blocks]


def all_tables(report: Report) -> list[Table]:
    return [block for one in report.sections for block in one.blocks if isinstance(block, Table)]


def test_sections_in_reading_order(report: Report) -> None:
    assert [one.title for one in report.sections] == [
        "Comparison",
        "Change since the previous state",
        "Paired differences",
        "Joints and slices",
        "TFLite files on the device",
        "Training",
        "Comparison with the paper",
        "Predictions",
        "Decoding and flip test",
        "Robustness",
        "Data",
        "Provenance",
        "Parameters",
        "Definitions",
    ]
    assert len({one.anchor for one in report.sections}) == len(report.sections)
    assert [one.anchor for one in report.sections if not one.collapsed] == ["comparison", "previous"]


def test_summary_names_data_models_and_commit(report: Report) -> None:
    first, second = report.summary
    assert first.startswith(
        "2 variants, evaluated on 40 synthetic test people. The models are those of Debnath et al."
    )
    assert first.endswith("Commit: no git.")
    assert second == "The float32 TFLite file of final has 4.00 MB and takes 8.00 ms per image (p50)."


@pytest.mark.usefixtures("plotted")
def test_people_without_a_torso_are_counted_in_the_summary(inputs: ReportInputs) -> None:
    metrics = {name: dict(content) | {"without_torso": 3} for name, content in inputs.metrics.items()}
    (summary, _) = build_report(replace(inputs, metrics=metrics)).summary
    assert "40 synthetic test people, 3 of them not scored because their torso is not annotated." in summary


def test_names_and_titles_are_unique(report: Report) -> None:
    names = [image.name for image in report.images()]
    assert len(set(names)) == len(names) == 8 + 2 + 2 + 1 + 3
    assert all(name.startswith("figures/") for name in names)
    everything = [block.title for one in report.sections for block in one.blocks]
    assert len(set(everything)) == len(everything)


def test_synthetic_people_are_marked_in_every_table_and_sheet(report: Report) -> None:
    assert report.warning == SYNTHETIC_WARNING
    for table in all_tables(report):
        if table.title.startswith("Paper"):
            assert {row[-1] for row in table.rows} == {"published", "synthetic people"}
        else:
            assert "synthetic people" in table.title
    sheets = [image for image in report.images() if image.is_sheet]
    assert len(sheets) == 2 + 2 + 1 + 3
    assert all("synthetic people" in sheet.title for sheet in sheets)


@pytest.mark.parametrize(("profile", "data"), [("sample", "synthetic people"), ("flic", "profile flic")])
def test_every_figure_names_the_data(
    inputs: ReportInputs, plotted: dict[str, tuple[Any, ...]], profile: str, data: str
) -> None:
    report = build_report(replace(inputs, comparison=comparison(profile)))
    drawn = {image.name for image in report.images() if not image.is_sheet}
    assert drawn == {f"figures/{name}.png" for name in plotted} == {f"figures/{name}.png" for name in FIGURES}
    assert all(data in arguments for arguments in plotted.values())


@pytest.mark.usefixtures("plotted")
def test_real_people_are_not_called_synthetic(inputs: ReportInputs) -> None:
    report = build_report(replace(inputs, comparison=comparison("flic"), profile_text=""))
    assert report.warning is None
    assert "synthetic people" not in repr(report)
    assert "synthetic test people" not in repr(report)
    assert "profile flic" in all_tables(report)[0].title


def test_headline_decoding_and_mean_pose_are_described(report: Report) -> None:
    (decoding,) = section(report, "decoding").text
    assert "the decoding that the profile sets: coordinates (baseline); argmax (final)." in decoding
    (mean_pose,) = section(report, "robustness").text
    assert "has a PCK@0.2 of 61.5" in mean_pose


@pytest.mark.usefixtures("plotted")
def test_variants_with_the_same_decoding_are_named_together(inputs: ReportInputs) -> None:
    same = dict.fromkeys(("baseline", "final"), inputs.decodings["baseline"])
    (text,) = section(build_report(replace(inputs, decodings=same)), "decoding").text
    assert "coordinates (baseline, final)." in text


@pytest.mark.usefixtures("plotted")
def test_variants_measured_on_one_device_share_its_facts(inputs: ReportInputs, report: Report) -> None:
    assert titles(report, "device")[-1] == "Target device (baseline, final)"
    final = inputs.benchmarks["final"]
    four_cores = final.model_copy(update={"device": final.device.model_copy(update={"cores": 4})})
    other = replace(inputs, benchmarks=dict(inputs.benchmarks) | {"final": four_cores})
    *_, first, second = section(build_report(other), "device").blocks
    assert isinstance(first, Facts)
    assert isinstance(second, Facts)
    assert (first.title, dict(first.pairs)["cores"]) == ("Target device (baseline)", "2")
    assert (second.title, dict(second.pairs)["cores"]) == ("Target device (final)", "4")
    assert dict(first.pairs)["cpu"] == "synthetic <cpu> & co"


def with_one_thread_count(benchmark: Benchmark, **device: Any) -> Benchmark:
    """Return the benchmark with the first number of threads alone, on a device with other facts."""
    models = {
        name: result.model_copy(update={"by_threads": result.by_threads[:1]})
        for name, result in benchmark.models.items()
    }
    return Benchmark.model_validate({"device": benchmark.device.model_copy(update=device)} | models)


@pytest.mark.usefixtures("plotted")
def test_threads_are_shown_only_if_several_numbers_were_measured(inputs: ReportInputs) -> None:
    def captions(benchmarks: dict[str, Benchmark]) -> list[str]:
        report = build_report(replace(inputs, benchmarks=benchmarks))
        return [image.caption for image in report.images() if image.name == "figures/latency_threads.png"]

    both = dict(inputs.benchmarks)
    (caption,) = captions(both)
    assert caption.endswith("on synthetic <cpu> & co (cores: 2).")
    other = {"final": with_one_thread_count(both["final"], cpu="other", cores=4)}
    (caption,) = captions(both | other)
    assert caption.endswith("on synthetic <cpu> & co (cores: 2) and other (cores: 4).")
    assert captions({name: with_one_thread_count(benchmark) for name, benchmark in both.items()}) == []


def test_figure_5_mentions_annotators_if_there_are_any(
    inputs: ReportInputs, plotted: dict[str, tuple[Any, ...]]
) -> None:
    def caption(report: Report) -> str:
        (found,) = (image for image in report.images() if image.name == "figures/pck_curves.png")
        return found.caption

    with_annotators = build_report(inputs)
    curves, _ = plotted["pck_curves"]
    assert curves is inputs.pck_curves
    assert "Two annotators" in caption(with_annotators)
    without = replace(inputs, pck_curves=dict(inputs.pck_curves) | {"annotators": None})
    assert "Two annotators" not in caption(build_report(without))


@pytest.mark.usefixtures("plotted")
def test_annotator_agreement_is_shown_only_if_a_person_is_annotated_twice(
    inputs: ReportInputs, report: Report
) -> None:
    title = "Annotator agreement (synthetic people)"
    assert title in titles(report, "data")
    without_pairs = {split: {"pairs": 0, "pck": {}, "ci95": {}} for split in ("test", "train")}
    assert title not in titles(build_report(replace(inputs, annotator_agreement=without_pairs)), "data")


@pytest.mark.usefixtures("plotted")
def test_the_validation_dot_is_at_the_best_iteration(
    inputs: ReportInputs, plotted: dict[str, tuple[Any, ...]]
) -> None:
    build_report(inputs)
    histories, best_iterations, _ = plotted["validation_pck"]
    assert histories is inputs.histories
    assert best_iterations == {"baseline": 30, "final": 30}


@pytest.mark.usefixtures("plotted")
def test_several_seeds_are_separated_from_people(repeated_inputs: ReportInputs, report: Report) -> None:
    repeated = build_report(repeated_inputs)
    title = "Variation between seeds and between people (synthetic people)"
    assert titles(repeated, "differences")[-1] == title
    assert title not in titles(report, "differences")
    assert section(report, "comparison").text == ()
    (exported,) = section(repeated, "comparison").text
    assert exported.endswith("Exported repeats: baseline 2, final 2.")
    assert "Satterthwaite's degrees of freedom" in " ".join(section(repeated, "definitions").text)
    assert "train several repeats" in " ".join(section(report, "definitions").text)
    assert "not covered" in report.conclusion
    assert "not covered" not in repeated.conclusion
    alone = section(build_report(replace(repeated_inputs, paired_differences=[])), "differences")
    assert alone.text == ("There is one variant only.",)
    assert [block.title for block in alone.blocks] == [title]


@pytest.mark.usefixtures("plotted")
def test_one_variant_has_no_paired_differences(inputs: ReportInputs) -> None:
    differences = section(build_report(replace(inputs, paired_differences=[])), "differences")
    assert differences.text == ("There is one variant only.",)
    assert differences.blocks == ()


@pytest.mark.usefixtures("plotted")
def test_change_since_the_previous_state(inputs: ReportInputs, report: Report) -> None:
    assert section(report, "previous").blocks == ()
    assert section(report, "previous").text[0].startswith("There is no previous state to compare with")
    previous = PreviousComparison("0123456789abcdef", "2025-11-27T20:00:00+00:00", comparison())
    changed = section(build_report(replace(inputs, previous=previous)), "previous")
    assert "commit 0123456789 of 2025-11-27" in changed.text[0]
    (table,) = changed.blocks
    assert isinstance(table, Table)
    assert table.rows[1][:2] == ("final", "90.0\n+0.0")


def test_nested_facts_are_flat(report: Report) -> None:
    checks = section(report, "data").blocks[0]
    assert checks == Facts(
        "Validation", (("passed", "yes"), ("rows, train", "1"), ("rows, val", "2"), ("failures", "none"))
    )


def test_provenance_and_profile_are_included(report: Report, inputs: ReportInputs) -> None:
    assert section(report, "provenance").blocks == (
        Facts("all variants", (("git commit", "no git"),)),
        Facts("baseline", (("MLflow run", "none yet"),)),
    )
    assert section(report, "parameters").blocks == (Listing("profiles/sample.yaml, as used", inputs.profile_text),)


@pytest.mark.usefixtures("plotted")
def test_table_2_includes_the_flip_test(inputs: ReportInputs, report: Report) -> None:
    def milliseconds(report: Report) -> list[str]:
        (table,) = (one for one in all_tables(report) if one.title.startswith("Paper, Table 2"))
        return [row[2] for row in table.rows if row[-1] != "published"]

    assert milliseconds(report) == ["8.0", "8.0"]
    flipped = {name: dict(content) | {"flip_test": True} for name, content in inputs.metrics.items()}
    assert milliseconds(build_report(replace(inputs, metrics=flipped))) == ["16.0", "16.0"]


def test_the_flip_test_doubles_the_latency(report: Report) -> None:
    (table,) = section(report, "decoding").blocks
    assert isinstance(table, Table)
    assert [row[-1] for row in table.rows] == ["8.00", "16.00", "8.00", "16.00"]


@pytest.mark.parametrize(
    ("bootstrap_cluster", "description"),
    [
        ("id", "over the 40 test people, each person resampled independently."),
        ("image", "over the 40 test people, people of one image resampled together."),
        ("group", "over the 40 test people, people of one film or session resampled together."),
    ],
)
def test_definitions_include_the_protocol(inputs: ReportInputs, bootstrap_cluster: str, description: str) -> None:
    protocol = {"bootstrap_cluster": bootstrap_cluster, "torso": "rsho-lhip", "viewpoint": "person"}
    metrics = {name: dict(content) | protocol for name, content in inputs.metrics.items()}
    text = " ".join(background.definitions_section(replace(inputs, metrics=metrics)).text)
    assert description in text
    assert "from the right shoulder to the left hip of the annotation" in text
    assert "left and right are the person's own" in text


def test_images_have_titles_and_captions(report: Report) -> None:
    for image in report.images():
        assert isinstance(image, Image)
        assert image.title
        assert image.caption or image.name in ("figures/crops_val.jpg", "figures/crops_test.jpg")
