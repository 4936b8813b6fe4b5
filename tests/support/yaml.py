"""YAML 1.2 as the project reads it and as DVC writes it."""

from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from splitpose.yaml_files import parse_yaml


def safe_load(text: str) -> Any:
    """Return the content of a YAML document."""
    return parse_yaml(text, "test.yaml")


def safe_dump(content: object) -> str:
    """Return a YAML document with the keys in the given order."""
    stream = StringIO()
    yaml = YAML(typ="safe")
    yaml.sort_base_mapping_type_on_output = False
    yaml.default_flow_style = False
    yaml.dump(content, stream)
    return stream.getvalue()
