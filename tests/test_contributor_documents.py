"""CONTRIBUTING.md, the architecture, the change log and the citation agree with the repository."""

import re
import tomllib

import pytest
from support import yaml

DOCUMENTS = ("CONTRIBUTING.md", "docs/architecture.md", "docs/glossary.md")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_named_file_exists(repository, name):
    source = repository / "src" / "splitpose"
    roots = [repository, source, *(path for path in source.rglob("*") if path.is_dir())]
    text = (repository / name).read_text()
    files = re.findall(r"`((?:[a-z_/]+/)?[a-z_]+\.(?:py|md|yaml|toml|lock))`", text)
    assert files
    assert [file for file in files if not any((root / file).exists() for root in roots)] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_to_a_file(repository, name):
    document = repository / name
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        assert target.startswith("https://") or (document.parent / target).is_file(), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_target_exists(repository, name):
    makefile = (repository / "Makefile").read_text()
    targets = re.findall(r"(?:`|^    )make ([a-z-]+)", (repository / name).read_text(), re.MULTILINE)
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_the_version_is_the_same_everywhere(repository):
    version = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((repository / "CITATION.cff").read_text())
    assert citation["version"] == version
    releases = re.findall(r"^## \[([\d.]+)\]", (repository / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert releases[0] == version
