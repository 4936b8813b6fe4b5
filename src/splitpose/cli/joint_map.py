"""The option --joint-map: names of keypoints, by joint."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from splitpose.errors import InputError

JointMap = Annotated[
    list[str] | None,
    typer.Option(
        metavar="JOINT=NAME,...",
        help="Names of the file's keypoints, as in lsho=6,rsho=7, or a YAML or JSON file with them.",
    ),
]
"""The option of a command; its values are for `parse_joint_map`."""


def parse_joint_map(values: Sequence[str]) -> dict[str, str]:
    """Return the joint map that the values of an option state.

    Args:
        values: "lsho=6,rsho=7", "lsho=6", or the path of a YAML or JSON file with a mapping.

    Raises:
        InputError: A value is neither, or a joint is unknown.
    """
    from pydantic_core import PydanticCustomError  # here, because the help starts without it

    from splitpose.settings import as_joint_map

    entries: dict[str, object] = {}
    for value in values:
        if "=" in value:
            entries |= dict(_parse_entry(entry, value) for entry in value.split(",") if entry.strip())
        else:
            entries |= _load_joint_map(Path(value))
    try:
        return dict(as_joint_map(entries))
    except PydanticCustomError as error:
        raise InputError(f"--joint-map: {error.message()}") from error


def _parse_entry(entry: str, value: str) -> tuple[str, str]:
    joint, equals, name = entry.partition("=")
    if not equals:
        raise InputError(f"--joint-map {value}: {entry!r} is not JOINT=NAME, such as lsho=6")
    return joint.strip(), name.strip()


def _load_joint_map(path: Path) -> dict[str, object]:
    if not path.is_file():
        raise InputError(f"--joint-map {path}: neither JOINT=NAME nor a file")
    from splitpose.yaml_files import read_yaml

    content = read_yaml(path)
    if isinstance(content, dict) and isinstance(content.get("joint_map"), dict):
        content = content["joint_map"]
    if not isinstance(content, dict):
        raise InputError(f"--joint-map {path}: not a mapping such as lsho: 6")
    return content
