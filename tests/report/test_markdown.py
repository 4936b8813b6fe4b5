import re

import pytest

from splitpose.report import markdown
from splitpose.report.document import Facts, Image, Listing, Report, Section, Table


@pytest.fixture(scope="module")
def text(report: Report) -> str:
    return markdown.render(report)


def small(*blocks: Table | Image | Facts | Listing) -> list[str]:
    """Return the lines of a report of one section, without the paragraphs before it."""
    report = Report("Title", "Conclusion.", ("Summary.",), None, (Section("one", "One", ("Text.",), blocks),))
    lines = markdown.render(report).splitlines()
    assert lines[:10] == ["# Title", "", "**Conclusion.**", "", "Summary.", "", "## One", "", "Text.", ""]
    return lines[10:]


def test_all_sections_except_listings(text: str, report: Report) -> None:
    titles = [section.title for section in report.sections]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [title for title in titles if title != "Parameters"]


def test_head(text: str, report: Report) -> None:
    lines = text.splitlines()
    assert lines[0] == "# Small upper-body pose models, profile sample"
    assert lines[2] == f"**{report.conclusion}**"
    assert lines[4] == report.summary[0]
    assert lines[8] == f"**{report.warning}**"


def test_tables_facts_and_paragraphs_of_every_section(text: str, report: Report) -> None:
    for section in report.sections:
        for paragraph in section.text:
            assert f"\n\n{paragraph}\n" in text
        for block in section.blocks:
            if isinstance(block, Table | Facts):
                assert f"\n\n### {block.title}\n\n" in text
            if isinstance(block, Table):
                assert f"\n\n{block.note}\n" in text


def test_every_image_is_linked(text: str, report: Report) -> None:
    links = re.findall(r"^!\[(.*)\]\((.*)\)$", text, re.MULTILINE)
    assert links == [(image.title, image.name) for image in report.images()]


def test_a_table() -> None:
    lines = small(
        Table("T", ("model", "PCK"), (("final", "90.0\n89.0–91.0"), ("a|b", "–"), ("x", "9\n8–9\n[7–9]")), "Note.")
    )
    assert lines == [
        "### T",
        "",
        "| model | PCK |",
        "| --- | ---: |",
        "| final | 90.0 (89.0–91.0) |",
        "| a\\|b | – |",
        "| x | 9 (8–9; [7–9]) |",
        "",
        "Note.",
    ]


def test_facts_and_images() -> None:
    lines = small(Facts("F", (("cores", "2"),)), Image("figures/a.png", "A", "", b"\x89PNG"), Listing("L", "text"))
    assert lines == ["### F", "", "- cores: 2", "", "![A](figures/a.png)", "", "A."]
