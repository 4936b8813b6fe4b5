from html.parser import HTMLParser

import pytest

from splitpose.report import page
from splitpose.report.document import Facts, Listing, Picture, Report, Section, Table

PNG, JPEG = b"\x89PNG made up", b"\xff\xd8\xff made up"


class Elements(HTMLParser):
    """Attributes, and whether every element is closed in order."""

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
def html(whole: Report) -> str:
    return page.render(whole)


def small(*parts: Table | Picture | Facts | Listing, warning: str | None = None) -> str:
    """A page of one section."""
    return page.render(Report("Title", "Lead.", warning, (Section("one", "One", ("Text.",), parts),)))


def test_page_is_whole_and_closed(html: str) -> None:
    assert html.lstrip().startswith("<!doctype html>")
    assert Elements(html).open == []


def test_page_needs_nothing_beside_it(html: str, whole: Report) -> None:
    assert "http:" not in html
    assert "https:" not in html
    assert "<script" not in html
    assert "<link" not in html
    assert "@import" not in html
    assert "url(" not in html
    addresses = Elements(html).values("src", "href")
    assert len(addresses) == len(whole.pictures()) + len(whole.sections)
    assert all(address.startswith(("data:image/", "#")) for address in addresses)


def test_links_within_the_page_lead_somewhere(html: str, whole: Report) -> None:
    elements = Elements(html)
    assert [value[1:] for value in elements.values("href")] == elements.values("id")
    assert elements.values("id") == [section.anchor for section in whole.sections]


def test_everything_is_on_the_page(html: str, whole: Report) -> None:
    text = html.replace("&#39;", "'").replace("&lt;", "<").replace("&amp;", "&")
    for section in whole.sections:
        for shown in [section.title, *section.text, *(part.title for part in section.parts)]:
            assert shown in text
    assert html.count("data:image/png;base64,") == 8
    assert html.count("data:image/jpeg;base64,") == len(whole.pictures()) - 8
    assert whole.warning is not None
    assert f'<p class="stand-in">{whole.warning}</p>' in html


def test_same_page_every_time(html: str, whole: Report) -> None:
    assert page.render(whole) == html


def test_kind_of_a_picture_is_told() -> None:
    assert 'src="data:image/png;base64,iVBORyBtYWRlIHVw"' in small(Picture("a.png", "A", "", b"\x89PNG made up"))
    assert 'src="data:image/jpeg;base64,' in small(Picture("a.jpg", "A", "", JPEG))


def test_text_from_outside_is_escaped() -> None:
    evil = '<script>alert(1)</script> & "co"'
    cells = (evil, evil)
    html = small(
        Table(evil, cells, (cells,), evil),
        Picture("a.png", evil, evil, PNG),
        Facts(evil, ((evil, evil),)),
        Listing(evil, evil),
        warning=evil,
    )
    assert "<script" not in html
    # Of the warning, the table, the picture (its alternative text has title and caption), the fact and the listing.
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;co&#34;") == 1 + 7 + 4 + 4 + 3
    assert Elements(html).open == []


def test_numbers_and_intervals() -> None:
    html = small(Table("T", ("model", "PCK"), (("final", "90.0\n89.0–91.0"), ("other", "–")), "Note."))
    assert "<td>90.0<small>89.0–91.0</small></td>" in html
    assert "<td>–</td>" in html
    assert '<th scope="row">final</th>' in html
    assert '<th scope="col">PCK</th>' in html


def test_published_rows_are_marked() -> None:
    html = small(Table("T", ("model", "numbers"), (("theirs", "published"), ("ours", "stand-in")), ""))
    assert '<tr class="published"><th scope="row">theirs</th>' in html
    assert '<tr><th scope="row">ours</th>' in html


def test_what_scrolls_can_be_reached_by_keyboard(html: str) -> None:
    scrolls = html.count('<div class="scroll')
    assert scrolls > 10
    assert html.count('tabindex="0" role="region" aria-label="') == scrolls


def test_no_warning_where_there_is_none() -> None:
    assert '<p class="stand-in">' not in small()
