import re

import pytest

from splitpose.report import markdown
from splitpose.report.document import Facts, Listing, Picture, Report, Section, Table


@pytest.fixture(scope="module")
def text(whole: Report) -> str:
    return markdown.render(whole)


def small(*parts: Table | Picture | Facts | Listing) -> list[str]:
    """Lines of a report of one section."""
    whole = Report("Title", "Lead.", None, (Section("one", "One", ("Text.",), parts),))
    return markdown.render(whole).splitlines()


def test_the_same_sections_but_those_of_listings(text: str, whole: Report) -> None:
    titles = [section.title for section in whole.sections]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [title for title in titles if title != "Parameters"]


def test_it_begins_with_who_was_measured(text: str, whole: Report) -> None:
    lines = text.splitlines()
    assert lines[0] == "# Small upper-body pose models, profile sample"
    assert lines[4] == f"**{whole.warning}**"


def test_tables_facts_and_paragraphs_of_every_section(text: str, whole: Report) -> None:
    for section in whole.sections:
        for paragraph in section.text:
            assert f"\n\n{paragraph}\n" in text
        for part in section.parts:
            if isinstance(part, Table | Facts):
                assert f"\n\n### {part.title}\n\n" in text
            if isinstance(part, Table):
                assert f"\n\n{part.note}\n" in text


def test_every_picture_is_linked(text: str, whole: Report) -> None:
    links = re.findall(r"^!\[(.*)\]\((.*)\)$", text, re.MULTILINE)
    assert links == [(picture.title, picture.name) for picture in whole.pictures()]


def test_a_table() -> None:
    lines = small(Table("T", ("model", "PCK"), (("final", "90.0\n89.0–91.0"), ("a|b", "–")), "Note."))
    assert lines[8:] == [
        "### T",
        "",
        "| model | PCK |",
        "| --- | ---: |",
        "| final | 90.0 (89.0–91.0) |",
        "| a\\|b | – |",
        "",
        "Note.",
    ]


def test_facts_and_pictures() -> None:
    lines = small(
        Facts("F", (("cores", "2"),)), Picture("figures/a.png", "A", "", b"\x89PNG"), Listing("L", "text")
    )
    assert lines[8:] == ["### F", "", "- cores: 2", "", "![A](figures/a.png)", "", "A."]
