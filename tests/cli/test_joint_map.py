from pathlib import Path

import pytest

from splitpose.cli.joint_map import parse_joint_map
from splitpose.errors import InputError


def test_entries_are_lists_or_repeated() -> None:
    expected = {"lsho": "6", "rsho": "hombro derecho"}
    assert parse_joint_map(["lsho=6,rsho=hombro derecho"]) == expected
    assert parse_joint_map(["lsho = 6", "rsho=hombro derecho,"]) == expected
    assert parse_joint_map([]) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.yaml", "lsho: 6\nrsho: b\n"),
        ("map.json", '{"lsho": "6", "rsho": "b"}'),
        ("profile", "joint_map: {lsho: 6, rsho: b}"),
    ],
)
def test_a_file_with_a_mapping(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert parse_joint_map([str(tmp_path / name)]) == {"lsho": "6", "rsho": "b"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("foo=6", r"--joint-map: unknown joint foo; the joints are lsho, lelb, "),
        ("lsho=6,7", r"--joint-map lsho=6,7: '7' is not JOINT=NAME, such as lsho=6"),
        ("lsho=", r"--joint-map: every joint should have the name of a keypoint"),
        ("lsho=6,rsho=6", r"--joint-map: the name 6 is given to several joints"),
        ("nowhere.yaml", r"--joint-map nowhere.yaml: neither JOINT=NAME nor a file$"),
    ],
)
def test_invalid_entries(value: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_joint_map([value])
