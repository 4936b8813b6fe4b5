import re
from html.parser import HTMLParser

import pytest
from report.made_up import VARIANTS, comparison

from splitpose.report import page, tables

PNG, JPEG = b"\x89PNG made up", b"\xff\xd8\xff made up"
PROTOCOL = {"n": 40, "torso": "lsho-rhip", "viewpoint": "observer"}
DEVICE = {"cpu": "made-up <cpu> & co", "cores": None}


def render(profile="sample", **changed):
    inputs = {
        "comparison": comparison(profile),
        "protocol": PROTOCOL,
        "devices": dict.fromkeys(VARIANTS, DEVICE),
        "figures": dict.fromkeys(page.FIGURES, PNG),
        "predictions": dict.fromkeys(VARIANTS, JPEG),
        "checks": {"passed": True, "rows": {"train": 1, "val": 2}, "failures": []},
        "agreement": {"test": {"pairs": 0, "torso": "lsho-rhip", "pck": {}, "ci95": {}}},
        "crops": {"train": JPEG, "test": JPEG},
        "profile": "source: {kind: sample}  # <script>alert(1)</script>\n",
    }
    return page.render(**(inputs | changed))


class Elements(HTMLParser):
    """Tags, attributes, and whether every element is closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.attributes = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.attributes += [(tag, *pair) for pair in attributes]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_whole_and_closed():
    html = render()
    assert html.lstrip().startswith("<!doctype html>")
    assert Elements(html).open == []


def test_page_needs_nothing_beside_it():
    html = render()
    assert "http:" not in html
    assert "https:" not in html
    assert "<script" not in html
    assert "<link" not in html
    assert "@import" not in html
    addresses = [value for _, name, value in Elements(html).attributes if name in ("src", "href")]
    assert len(addresses) == len(page.FIGURES) + len(VARIANTS) + 2 + 7
    assert all(address.startswith(("data:image/", "#")) for address in addresses)


def test_links_within_the_page_lead_somewhere():
    attributes = Elements(render()).attributes
    ids = {value for _, name, value in attributes if name == "id"}
    assert {value[1:] for _, name, value in attributes if name == "href"} == ids


def test_kind_of_a_picture_is_told():
    html = render()
    assert html.count("data:image/png;base64,") == len(page.FIGURES)
    assert html.count("data:image/jpeg;base64,") == len(VARIANTS) + 2


def test_text_from_outside_is_escaped():
    html = render()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "made-up &lt;cpu&gt; &amp; co" in html


def test_stand_in_people_are_marked():
    assert render().count("rendered stand-in people") > 8
    assert "stand-in people" not in render("flic")


def test_numbers_and_intervals_are_there():
    html = render()
    assert "<td>90.0<small>89.0–91.0</small></td>" in html
    assert "Wei et al." in html
    assert "40 test people" in html


def test_nested_facts_are_flat():
    html = render()
    for name, value in [("passed", "yes"), ("rows, train", "1"), ("failures", "none"), ("cores", "–")]:
        assert f'<th scope="row">{name}</th><td>{value}</td>' in html


def test_variants_timed_on_one_device_share_its_facts():
    assert render().count("Timed on (") == 1
    other = render(devices={"baseline": DEVICE, "final": DEVICE | {"cores": 4}})
    assert re.findall(r"Timed on \((.*)\)", other) == ["baseline", "final"]


def test_same_page_every_time():
    assert render() == render()


def test_unknown_figure_is_an_error():
    with pytest.raises(KeyError, match="surprise"):
        render(figures={"surprise": PNG})


def test_markdown():
    lines = page.markdown(comparison()).splitlines()
    assert lines[0] == "# Comparison, profile sample"
    assert lines[2] == f"**{tables.STAND_IN}**"
    assert "| variant | precision | MB | PCK@0.2 | p50 ms | p95 ms | fully delegated |" in lines
    assert "| baseline | float32 | 4.00 | 80.0 | 8.00 | 16.00 | yes |" in lines
    assert any(line.startswith("| final | 2.12 | 732 | 90.0 (89.0–91.0) |") for line in lines)
    assert sum(line.startswith("## ") for line in lines) == 5


def test_markdown_survives_a_bar_in_a_name():
    content = comparison()
    content["variants"] = {"a|b": content["variants"]["final"]}
    assert "| a\\|b | 2.12 |" in page.markdown(content)


def test_how_far_annotators_agree_is_told_only_where_somebody_is_annotated_twice():
    pair = {"mean": 90.0, "elbow": 100.0, "wrist": 50.0, "lhip": 80.0, "rhip": None}
    interval = {name: value and [value - 5, value] for name, value in pair.items()}
    found = {"pairs": 82, "torso": "lsho-rhip", "pck": {"0.2": pair}, "ci95": {"0.2": interval}}
    assert "How far two annotators agree" not in render()
    html = render(agreement={"test": found, "train": {"pairs": 0, "torso": "lsho-rhip", "pck": {}, "ci95": {}}})
    assert "How far two annotators agree" in html
    assert "<td>82</td><td>@0.2</td><td>90.0<small>85.0–90.0</small></td>" in html
