import json

import pytest

from splitpose.data.formats import json_file
from splitpose.errors import InputError

TEXTS = [
    "NaN",
    "a, NaN, b",
    ": NaN-Infinity",
    '"NaN',
    '", NaN, ',
    '\\", [NaN], "',
    "back\\",
    "\\\\",
    "1, -Infinity",
    "[Infinity]",
    "é",
]


def read(path, text, encoding="utf-8"):
    path.write_text(text, encoding)
    return json.loads(json_file.read_json(path, "; provide JSON"))


@pytest.mark.parametrize("indent", [None, 1])
def test_non_finite_numbers_become_null_and_texts_stay(tmp_path, indent):
    numbers = [float("nan"), 1.5, float("-inf"), -2, True, None, float("inf"), {}, [float("nan")]]
    values = [{text: number, "text": [text, number, text]} for text in TEXTS for number in numbers]
    expected = json.loads(json.dumps(values), parse_constant=lambda name: None)
    assert read(tmp_path / "a.json", json.dumps(values, indent=indent)) == expected
    assert read(tmp_path / "a.json", json.dumps([float("nan"), values])) == [None, expected]


def test_a_text_without_them_is_unchanged(tmp_path):
    assert read(tmp_path / "a.json", '{"a": "b"}') == {"a": "b"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_are_removed(tmp_path, encoding):
    assert read(tmp_path / "a.json", '["é"]', encoding) == ["é"]


def test_damaged_utf_16_and_a_missing_file_are_errors(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes("[1]".encode("utf-16")[:-1])
    with pytest.raises(InputError, match=r"a.json: Invalid JSON: damaged UTF-16 text; provide JSON"):
        json_file.read_json(path, "; provide JSON")
    with pytest.raises(InputError, match=r"b.json: No such file or directory; provide JSON"):
        json_file.read_json(tmp_path / "b.json", "; provide JSON")
