import math
import re

import pytest
from dvc.utils.serialize import load_yaml

from splitpose.errors import InputError
from splitpose.yaml_files import explain_value, parse_yaml, read_yaml

CONTENT = {"profile": "sample", "repeats": [1], "variants": {"final": {}}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-05", 0.00001),
        ("1e-4", 0.0001),
        ("5E-5", 0.00005),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.0e-2", 0.01),
        (".inf", math.inf),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0o10", 8),
        ("0", 0),
        ("-0", 0),
        ("0.05", 0.05),
        ("true", True),
        ("yes", "yes"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1e-05'", "1e-05"),
    ],
)
def test_values_are_those_that_dvc_reads(tmp_path, text, value):
    path = tmp_path / "params.yaml"
    path.write_text(f"key: {text}\n")
    content = read_yaml(path)
    assert content == {"key": value} == load_yaml(path)
    assert type(content["key"]) is type(value)


def test_anchors_and_merge_keys_are_resolved():
    text = "phase: &phase {iterations: 5, schedule: cosine}\nother: {<<: *phase, iterations: 7}\n"
    assert parse_yaml(text, "a.yaml")["other"] == {"iterations": 7, "schedule": "cosine"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 010\n", "line 2: 010 has a leading zero; write 10, or 0o10 for an octal number"),
        ("a: -0_7\n", "line 1: -0_7 has a leading zero; write -7, or -0o7 for an octal number"),
        ("a: 08\n", "line 1: 08 has a leading zero; write 8"),
        ("a: 00\n", "line 1: 00 has a leading zero; write 0, or 0o0 for an octal number"),
        ("a: 1\nb: 2\na: 3\n", "line 3: the key a is listed twice; remove one of the lines"),
        ("a:\n  b: 1\n  b: 1\n", "line 3: the key b is listed twice; remove one of the lines"),
        ("a:\n\tb: 1\n", "line 2: is indented with a tab; use spaces"),
        ("a: 1\n\tb: 1\n", "line 2: is indented with a tab; use spaces"),
        ("a: *b\n", "line 1: not valid YAML: found undefined alias"),
        ("a: 1\n---\nb: 2\n", "line 2: a second document begins with ---; keep only one"),
        ("%YAML 1.1\n---\na: yes\n", "line 1: declares YAML 1.1; remove this line, DVC reads YAML 1.2"),
        ("a: !!python/name:os.system\n", "line 1: not valid YAML: could not determine a constructor for the tag"),
        ("a: 1\n b: 2\n", "line 2: not valid YAML: mapping values are not allowed in this context"),
        ("a: [1, 2\n", "line 1: not valid YAML: did not find expected ',' or ']'"),
        ("a: 2026-13-01\n", "not valid YAML: month must be in 1..12; quote text that looks like a date"),
        ("a: \x07\n", "not valid YAML: "),
    ],
)
def test_an_error_is_one_line_with_the_number_of_the_line(text, message):
    with pytest.raises(InputError, match=f"^a.yaml: {re.escape(message)}") as raised:
        parse_yaml(text, "a.yaml")
    assert "\n" not in str(raised.value)


TEXT = "profile: sample  # häufig\nrepeats: [1]\nvariants: {final: {}}\n"


@pytest.mark.parametrize("content", [TEXT.encode(), TEXT.encode("utf-8-sig"), TEXT.replace("\n", "\r\n").encode()])
def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path, content):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    assert read_yaml(path) == CONTENT


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT.encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "is UTF-16 text; save it as UTF-8"),
        (TEXT.encode("utf-16-le"), "line 1: contains a NUL byte; save the file as UTF-8 text"),
        (("a: 1\n" + TEXT).encode("latin-1"), "line 2: byte 0xe4 is not UTF-8; save the file as UTF-8"),
        (b"a: 1\nb: \0\n", "line 2: contains a NUL byte; save the file as UTF-8 text"),
    ],
)
def test_another_encoding_is_reported(tmp_path, content, message):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^{re.escape(f'{path}: {message}')}$"):
        read_yaml(path)


def test_a_file_that_cannot_be_read_is_reported(tmp_path):
    with pytest.raises(InputError, match=r"Is a directory; check the path and the permissions of the file$"):
        read_yaml(tmp_path)


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("yes", "; yes is text in YAML 1.2, write true"),
        ("Off", "; Off is text in YAML 1.2, write false"),
        ("1:30", "; 1:30 is text in YAML 1.2, write the number without colons"),
        ("0,5", "; 0,5 has a decimal comma, write 0.5"),
        ("96", "; 96 is quoted, write it without quotes"),
        (1000.0, "; write 1000"),
        (0.5, ""),
        ("many", ""),
        (None, ""),
    ],
)
def test_the_remedy_depends_on_the_value(value, remedy):
    assert explain_value(value) == remedy
