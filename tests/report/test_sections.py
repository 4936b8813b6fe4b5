from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.synthetic_report import LINEAGE, comparison

from splitpose.benchmark.schema import Benchmark
from splitpose.report import figures, sections
from splitpose.report.document import Facts, Listing, Picture, Report, Section, Table
from splitpose.report.results import Evidence
from splitpose.report.tables import STAND_IN

STAND_IN_PEOPLE = "rendered stand-in people"


@pytest.fixture
def said_by_figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Any, ...]]:
    """What each figure was asked to show: {its name: arguments}. None is drawn, which saves a second each."""
    asked: dict[str, tuple[Any, ...]] = {}

    def fake(name: str) -> Callable[..., bytes]:
        def draw(*arguments: Any) -> bytes:
            asked[name] = arguments
            return b"\x89PNG made up"

        return draw

    names = ("joint_scores", "threshold_curves", "robustness")
    for name in (*names, "loss_curves", "validation_curves", "latency_accuracy", "latency_threads", "operators"):
        monkeypatch.setattr(figures, name, fake(name))
    return asked


def section(report: Report, anchor: str) -> Section:
    (found,) = (one for one in report.sections if one.anchor == anchor)
    return found


def titles(report: Report, anchor: str) -> list[str]:
    return [part.title for part in section(report, anchor).parts]


def tables_of(report: Report) -> list[Table]:
    return [part for one in report.sections for part in one.parts if isinstance(part, Table)]


def test_sections_in_reading_order(whole: Report) -> None:
    assert [one.title for one in whole.sections] == [
        "Comparison",
        "Beside the paper",
        "Joints and people",
        "Predictions",
        "Readings",
        "Behaviour",
        "On the device",
        "Data",
        "Where it comes from",
        "Parameters",
        "How to read it",
    ]
    assert len({one.anchor for one in whole.sections}) == len(whole.sections)
    assert whole.lead.startswith("40 test people, 2 variants. ")


@pytest.mark.usefixtures("said_by_figures")
def test_people_who_cannot_be_scored_are_told_at_the_top(evidence: Evidence) -> None:
    some = replace(evidence, protocol=dict(evidence.protocol) | {"without_torso": 3})
    lead = sections.report(some, LINEAGE).lead
    assert lead.startswith("40 test people (3 of them without an annotated torso and so not scored), 2 variants. ")


def test_every_part_has_a_name_of_its_own(whole: Report) -> None:
    names = [picture.name for picture in whole.pictures()]
    assert len(set(names)) == len(names) == 8 + 2 + 2 + 1 + 3
    assert all(name.startswith("figures/") for name in names)
    everything = [part.title for one in whole.sections for part in one.parts]
    assert len(set(everything)) == len(everything)


def test_stand_in_people_are_marked_in_every_table_and_sheet(whole: Report) -> None:
    assert whole.warning == STAND_IN
    for table in tables_of(whole):
        if table.title.startswith("Paper"):
            assert {row[-1] for row in table.rows} == {"published", STAND_IN_PEOPLE}
        else:
            assert STAND_IN_PEOPLE in table.title
    sheets = [picture for picture in whole.pictures() if picture.is_sheet]
    assert len(sheets) == 2 + 2 + 1 + 3
    assert all(STAND_IN_PEOPLE in sheet.title for sheet in sheets)


@pytest.mark.parametrize(("profile", "who"), [("sample", STAND_IN_PEOPLE), ("flic", "profile flic")])
def test_every_figure_is_told_who_was_measured(
    evidence: Evidence, said_by_figures: dict[str, tuple[Any, ...]], profile: str, who: str
) -> None:
    report = sections.report(replace(evidence, comparison=comparison(profile)), LINEAGE)
    drawn = {picture.name for picture in report.pictures() if not picture.is_sheet}
    assert drawn == {f"figures/{name}.png" for name in said_by_figures}
    assert all(who in arguments for arguments in said_by_figures.values())


@pytest.mark.usefixtures("said_by_figures")
def test_real_people_are_not_called_a_stand_in(evidence: Evidence) -> None:
    report = sections.report(replace(evidence, comparison=comparison("flic"), profile=""), LINEAGE)
    assert report.warning is None
    assert "stand-in" not in repr(report)
    assert "profile flic" in tables_of(report)[0].title


def test_it_is_said_how_joints_are_read_and_what_the_mean_pose_finds(whole: Report) -> None:
    reading, mean_pose = section(whole, "comparison").text
    assert "as the profile says: baseline by coordinates; final by argmax." in reading
    assert "61.5 % of the joints" in mean_pose


@pytest.mark.usefixtures("said_by_figures")
def test_variants_that_are_read_alike_are_named_together(evidence: Evidence) -> None:
    alike = dict.fromkeys(("a", "b"), evidence.readings["baseline"]) | {"c": evidence.readings["final"]}
    text = sections._headline(replace(evidence, readings=alike))
    assert "a, b by coordinates; c by argmax." in text


@pytest.mark.usefixtures("said_by_figures")
def test_variants_timed_on_one_device_share_its_facts(evidence: Evidence, whole: Report) -> None:
    assert titles(whole, "device")[-1] == "Timed on (baseline, final)"
    found = evidence.benchmarks["final"]
    four = found.model_copy(update={"device": found.device.model_copy(update={"cores": 4})})
    other = replace(evidence, benchmarks=dict(evidence.benchmarks) | {"final": four})
    *_, first, second = section(sections.report(other, LINEAGE), "device").parts
    assert isinstance(first, Facts)
    assert isinstance(second, Facts)
    assert (first.title, dict(first.pairs)["cores"]) == ("Timed on (baseline)", "2")
    assert (second.title, dict(second.pairs)["cores"]) == ("Timed on (final)", "4")
    assert dict(first.pairs)["cpu"] == "made-up <cpu> & co"


def one_number_of_threads(found: Benchmark, **device: Any) -> Benchmark:
    """The same, timed with the first number of threads alone, on a device with other facts."""
    models = {name: one.model_copy(update={"by_threads": one.by_threads[:1]}) for name, one in found.models.items()}
    return Benchmark.model_validate({"device": found.device.model_copy(update=device)} | models)


@pytest.mark.usefixtures("said_by_figures")
def test_threads_are_shown_only_where_several_numbers_were_timed(evidence: Evidence) -> None:
    def captions(benchmarks: dict[str, Benchmark]) -> list[str]:
        report = sections.report(replace(evidence, benchmarks=benchmarks), LINEAGE)
        return [one.caption for one in report.pictures() if one.name == "figures/latency_threads.png"]

    both = dict(evidence.benchmarks)
    (caption,) = captions(both)
    assert caption.endswith("on made-up <cpu> & co (cores: 2).")
    other = {"final": one_number_of_threads(both["final"], cpu="other", cores=4)}
    (caption,) = captions(both | other)
    assert caption.endswith("on made-up <cpu> & co (cores: 2) and other (cores: 4).")
    assert captions({name: one_number_of_threads(found) for name, found in both.items()}) == []


def test_figure_5_has_bands_and_the_annotators_line(
    evidence: Evidence, said_by_figures: dict[str, tuple[Any, ...]]
) -> None:
    def caption(report: Report) -> str:
        (found,) = (one for one in report.pictures() if one.name == "figures/threshold_curves.png")
        return found.caption

    with_pairs = sections.report(evidence, LINEAGE)
    errors, _, seed, clusters, pairs = said_by_figures["threshold_curves"]
    assert errors is evidence.errors
    assert seed == 44
    assert clusters is evidence.clusters
    assert pairs is evidence.pairs
    assert "Two annotators" in caption(with_pairs)
    without = sections.report(replace(evidence, pairs=np.empty((0, 11))), LINEAGE)
    assert "Two annotators" not in caption(without)


@pytest.mark.usefixtures("said_by_figures")
def test_how_far_annotators_agree_is_told_only_where_somebody_is_annotated_twice(
    evidence: Evidence, whole: Report
) -> None:
    title = f"How far two annotators agree: a ceiling for any model ({STAND_IN_PEOPLE})"
    assert title in titles(whole, "data")
    nobody = {split: {"pairs": 0, "pck": {}, "ci95": {}} for split in ("test", "train")}
    assert title not in titles(sections.report(replace(evidence, agreements=nobody), LINEAGE), "data")


def test_nested_facts_are_flat(whole: Report) -> None:
    checks = section(whole, "data").parts[0]
    assert checks == Facts(
        "Checks", (("passed", "yes"), ("rows, train", "1"), ("rows, val", "2"), ("failures", "none"))
    )


def test_lineage_and_profile_are_there(whole: Report, evidence: Evidence) -> None:
    assert section(whole, "lineage").parts == (
        Facts("all variants", (("git commit", "no git"),)),
        Facts("baseline", (("MLflow run", "none yet"),)),
    )
    assert section(whole, "parameters").parts == (Listing("profiles/sample.yaml, as used", evidence.profile),)


@pytest.mark.usefixtures("said_by_figures")
def test_table_2_is_told_of_the_flip_test(evidence: Evidence, whole: Report) -> None:
    def milliseconds(report: Report) -> list[str]:
        (table,) = (one for one in tables_of(report) if one.title.startswith("Paper, Table 2"))
        return [row[2] for row in table.rows if row[-1] != "published"]

    assert milliseconds(whole) == ["8.0", "8.0"]
    flipped = replace(evidence, protocol=dict(evidence.protocol) | {"flip_test": True})
    assert milliseconds(sections.report(flipped, LINEAGE)) == ["16.0", "16.0"]


def test_the_flip_test_costs_twice_the_files_latency(whole: Report) -> None:
    (table,) = section(whole, "options").parts
    assert isinstance(table, Table)
    assert [row[-1] for row in table.rows] == ["8.00", "16.00", "8.00", "16.00"]


@pytest.mark.parametrize(
    ("bootstrap_cluster", "said"),
    [
        ("id", "over the 40 test people, each person drawn alone."),
        ("image", "over the 40 test people, people of one picture drawn together."),
        ("group", "over the 40 test people, people of one film or session drawn together."),
    ],
)
def test_how_to_read_it_tells_the_protocol(evidence: Evidence, drawn_by: str, said: str) -> None:
    protocol = dict(evidence.protocol) | {
        "bootstrap_cluster": drawn_by,
        "torso": "rsho-lhip",
        "viewpoint": "person",
    }
    text = " ".join(sections._how_to_read(replace(evidence, protocol=protocol)).text)
    assert said in text
    assert "from the right shoulder to the left hip of the annotation" in text
    assert "left and right are the person's own" in text


def test_pictures_say_what_they_show(whole: Report) -> None:
    for picture in whole.pictures():
        assert isinstance(picture, Picture)
        assert picture.title
        assert picture.caption or picture.name in ("figures/crops_val.jpg", "figures/crops_test.jpg")
