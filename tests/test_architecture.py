"""docs/architecture.md agrees with the packages, the import-linter contract and dvc.yaml."""

import re
import tomllib

import pytest
from support import yaml


@pytest.fixture(scope="module")
def document(repository):
    return (repository / "docs" / "architecture.md").read_text()


@pytest.fixture(scope="module")
def layers(document):
    """The package list from top to bottom; packages of one line are siblings."""
    block = re.search(r"^## Packages$.*?^```$(.*?)^```$", document, re.MULTILINE | re.DOTALL).group(1)
    return [set(re.split(r"\s{2,}", line)[0].split()) for line in block.strip().splitlines()]


def test_the_list_names_every_package_and_module(layers, repository):
    root = repository / "src" / "splitpose"
    packages = {path.parent.name for path in root.glob("*/__init__.py")}
    modules = {path.stem for path in root.glob("*.py") if not path.stem.startswith("__")}
    assert set().union(*layers) == packages | modules | {"pipelines"}


def test_the_list_has_the_order_that_import_linter_enforces(layers, repository):
    contracts = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = [contract for contract in contracts if contract["type"] == "layers"]
    enforced = [
        {name.strip().removeprefix("splitpose.") for name in layer.split("|")} for layer in contract["layers"]
    ]
    assert layers == enforced


def test_the_stage_table_has_the_stages_of_dvc_yaml_and_packages_that_exist(document, layers, repository):
    rows = re.findall(r"^\| ([a-z_, ]+) \| ((?:`\w+`,? ?)+) \|", document, re.MULTILINE)
    stages = yaml.safe_load((repository / "dvc.yaml").read_text())["stages"]
    assert [stage for cell, _ in rows for stage in cell.split(", ")] == list(stages)
    assert set(re.findall(r"\w+", " ".join(packages for _, packages in rows))) <= set().union(*layers)
