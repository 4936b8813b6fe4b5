import re
from html.parser import HTMLParser
from pathlib import Path

import great_expectations.expectations as gxe
import pandas as pd
import pytest
from support.chromium import needs_chromium, rendered_page

from splitpose.validation.expectation_suites import Rule, Suite
from splitpose.validation.gx_runner import SuiteRunner

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def docs(tmp_path_factory) -> Path:
    """Data Docs of two suites, of which one fails for the row b."""
    frame = pd.DataFrame({"id": ["a", "b"], "torso": [50.0, 3.0], "limb": [1.0, 1.0]})
    runner = SuiteRunner()
    for name, column in (("short", "torso"), ("long", "limb")):
        rules = (
            Rule(f"{name}_{column}", gxe.ExpectColumnValuesToBeBetween(column=column, min_value=1), "too short"),
            Rule(f"{name}_5", gxe.ExpectColumnValuesToBeBetween(column="torso", min_value=5), "too short"),
        )
        runner.run(Suite(name, "warning", rules if name == "short" else rules[:1]), frame)
    folder = tmp_path_factory.mktemp("docs")
    runner.build_data_docs(folder)
    return folder


class References(HTMLParser):
    """Collects what a page loads, and the pages that it links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        target = values.get("src") or values.get("href")
        if target:
            (self.linked if tag == "a" else self.loaded).append(target)


def result_page(docs: Path, suite: str) -> Path:
    (page,) = (docs / "validations" / suite).rglob("*.html")
    return page


def test_pages_load_nothing(docs: Path) -> None:
    pages = list(docs.rglob("*.html"))
    assert len(pages) == 5  # the index, and two pages per suite
    for page in pages:
        text = page.read_text()
        assert References(text).loaded == ["data:,"], page  # the icon, which is empty
        assert not re.search(r"<script|url\(|@import", text), page
    assert {path.suffix for path in docs.rglob("*") if path.is_file()} == {".html"}


def test_every_link_between_pages_leads_to_a_page(docs: Path) -> None:
    for page in docs.rglob("*.html"):
        links = [link for link in References(page.read_text()).linked if not link.startswith(("#", "https:"))]
        assert links
        for link in links:
            assert (page.parent / link).is_file(), (page, link)


@needs_chromium
def test_the_index_lists_the_results_and_the_suites_offline(docs: Path, tmp_path: Path) -> None:
    dom = rendered_page(docs / "index.html", tmp_path)
    rows = re.findall(r"<tr>.*?</tr>", dom, flags=re.DOTALL)
    assert len(rows) == 2 + 2 + 2  # the headings of two tables, two results and two suites
    failed = [row for row in rows if "text-danger" in row]
    assert len(failed) == 1
    assert 'href="expectations/short.html"' in failed[0]
    assert result_page(docs, "short").relative_to(docs).as_posix() in failed[0]


@needs_chromium
def test_a_result_page_shows_the_rows_that_fail_offline(docs: Path, tmp_path: Path) -> None:
    dom = rendered_page(result_page(docs, "short"), tmp_path)
    text = " ".join(re.sub(r"<style.*?</style>|<[^>]*>", " ", dom, flags=re.DOTALL).split())
    assert "1 unexpected values found. 50% of 2 total rows." in text
    assert "Unexpected Value Count id 3.0 1 b" in text
    assert "Evaluated Expectations 2 Successful Expectations 1" in text
