import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from splitpose.report import page
from splitpose.report.document import Facts, Image, Listing, Report, Section, Table

PNG, JPEG = b"\x89PNG synthetic", b"\xff\xd8\xff synthetic"
GENERATED = datetime(2025, 11, 27, 20, 30, tzinfo=UTC)


class Elements(HTMLParser):
    """Collects attributes and checks that every element is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, *names: str) -> list[str]:
        return [value or "" for _, name, value in self.attributes if name in names]


@pytest.fixture(scope="module")
def html(report: Report) -> str:
    return page.render(report, GENERATED)


def small(*blocks: Table | Image | Facts | Listing, warning: str | None = None, collapsed: bool = False) -> str:
    """Render a page of one section."""
    section = Section("one", "One", ("Text.",), blocks, collapsed)
    return page.render(Report("Title", "Conclusion.", ("Summary.",), warning, (section,)), GENERATED)


def test_elements_are_closed_in_order(html: str) -> None:
    assert html.lstrip().startswith("<!doctype html>")
    assert Elements(html).open == []


def test_page_is_self_contained(html: str, report: Report) -> None:
    assert "http:" not in html
    assert "https:" not in html
    assert "<script" not in html
    assert "<link" not in html
    assert "@import" not in html
    assert "url(" not in html
    addresses = Elements(html).values("src", "href")
    assert len(addresses) == len(report.images()) + len(report.sections)
    assert all(address.startswith(("data:image/", "#")) for address in addresses)


def test_links_within_the_page_have_targets(html: str, report: Report) -> None:
    elements = Elements(html)
    assert [value[1:] for value in elements.values("href")] == elements.values("id")
    assert elements.values("id") == [section.anchor for section in report.sections]


def test_all_content_is_on_the_page(html: str, report: Report) -> None:
    text = html.replace("&#39;", "'").replace("&lt;", "<").replace("&amp;", "&")
    for section in report.sections:
        for text_part in [section.title, *section.text, *(block.title for block in section.blocks)]:
            assert text_part in text
    assert html.count("data:image/png;base64,") == 8
    assert html.count("data:image/jpeg;base64,") == len(report.images()) - 8
    assert report.warning is not None
    assert f'<p class="warning">{report.warning}</p>' in html
    assert f'<p class="conclusion">{report.conclusion}</p>' in html


def test_same_page_every_time(html: str, report: Report) -> None:
    assert page.render(report, GENERATED) == html


def test_data_uris_have_the_image_format() -> None:
    assert 'src="data:image/png;base64,iVBORyBzeW50aGV0aWM="' in small(Image("a.png", "A", "", PNG))
    assert 'src="data:image/jpeg;base64,' in small(Image("a.jpg", "A", "", JPEG))


def test_text_is_escaped() -> None:
    evil = '<script>alert(1)</script> & "co"'
    cells = (evil, evil)
    html = small(
        Table(evil, cells, (cells,), evil),
        Image("a.png", evil, evil, PNG),
        Facts(evil, ((evil, evil),)),
        Listing(evil, evil),
        warning=evil,
    )
    assert "<script" not in html
    # In the warning, the table, the image (its alternative text has title and caption), the facts and the listing.
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;co&#34;") == 1 + 7 + 4 + 4 + 3
    assert Elements(html).open == []


def test_numbers_and_intervals() -> None:
    html = small(Table("T", ("model", "PCK"), (("final", "90.0\n89.0–91.0"), ("other", "–")), "Note."))
    assert "<td>90.0<small>89.0–91.0</small></td>" in html
    repeated = small(Table("T", ("model", "PCK"), (("final", "90.0\n89.0–91.0\n[88.0–92.0]"),), ""))
    assert "<td>90.0<small>89.0–91.0</small><small>[88.0–92.0]</small></td>" in repeated
    assert "<td>–</td>" in html
    assert '<th scope="row">final</th>' in html
    assert '<th scope="col">PCK</th>' in html


def test_published_rows_are_marked() -> None:
    html = small(Table("T", ("model", "numbers"), (("other", "published"), ("ours", "synthetic")), ""))
    assert '<tr class="published"><th scope="row">other</th>' in html
    assert '<tr><th scope="row">ours</th>' in html


def test_scrolling_areas_can_be_focused_by_keyboard(html: str) -> None:
    scrolls = html.count('<div class="scroll')
    assert scrolls > 10
    assert html.count('tabindex="0" role="region" aria-label="') == scrolls


def test_no_warning_without_one() -> None:
    assert '<p class="warning">' not in small()


def test_date_of_generation() -> None:
    assert '<time datetime="2025-11-27T20:30:00+00:00">2025-11-27 20:30 UTC</time>' in small()


def test_collapsed_sections_have_their_anchor_inside() -> None:
    """A link to an anchor inside a closed section opens it."""
    collapsed, expanded = small(collapsed=True), small(collapsed=False)
    assert re.search(r'<details>\s*<summary><h2>One</h2></summary>\s*<div id="one">', collapsed)
    assert "<details" not in expanded
    assert '<h2 id="one">One</h2>' in expanded


def test_conclusion_precedes_warning_and_table_of_contents(html: str) -> None:
    positions = [html.index(f'<p class="{name}">') for name in ("generated", "conclusion", "warning")]
    assert positions == sorted(positions)
    assert positions[-1] < html.index("<nav") < html.index("<main")
