import json
import resource
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from splitpose.errors import InputError
from splitpose.promotion.decision import Decision, parse_decision
from splitpose.promotion.decision_log import append, read, user_name

pytestmark = pytest.mark.integration

DECISION = Decision(
    time="20261122T235959.123456Z",
    profile="sample",
    action="keep",
    by="automatic",
    dry_run=False,
    challenger={"version": "7", "variant": "final"},
    champion=None,
    checks=[
        {"name": "size", "passed": True, "value": 100, "limit": None, "text": "100 bytes"},
        {"name": "slices", "passed": False, "value": -3.5, "limit": -2.0, "text": "group a|b"},
    ],
    reason="a slice is worse",
)


def test_decisions_are_read_in_order(tmp_path):
    path = tmp_path / "reports" / "decisions.jsonl"
    assert read(path) == []
    decisions = [replace(DECISION, time=str(number), action="promote") for number in range(3)]
    for decision in decisions:
        append(path, decision)
    assert read(path) == decisions
    assert [json.loads(line) for line in path.read_text().splitlines()] == [asdict(one) for one in decisions]


def test_an_incomplete_line_is_skipped_and_removed_by_the_next_decision(tmp_path):
    path = tmp_path / "decisions.jsonl"
    append(path, DECISION)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:100])
    assert read(path) == [DECISION]
    append(path, DECISION)
    assert path.read_bytes() == whole * 2


def test_a_complete_line_without_its_line_end_counts(tmp_path):
    path = tmp_path / "decisions.jsonl"
    append(path, DECISION)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert read(path) == [DECISION]
    append(path, DECISION)
    assert path.read_bytes() == whole * 2


def test_a_full_disk_leaves_the_file_unchanged(tmp_path):
    path = tmp_path / "decisions.jsonl"
    append(path, DECISION)
    whole = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        for space in (0, 50):
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + space, hard))
            with pytest.raises(
                InputError, match=r"decisions\.jsonl: the decision cannot be written \(.*free some space"
            ):
                append(path, DECISION)
            assert path.read_bytes() == whole
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"decisions\.jsonl, line 2: not a decision \(invalid JSON"),
        ("{}", r"line 2: not a decision \(time: Field required\); correct or remove it"),
        (json.dumps(asdict(DECISION) | {"action": "hide"}), r"line 2: not a decision \(action: Input should be"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, message):
    path = tmp_path / "decisions.jsonl"
    append(path, DECISION)
    path.write_text(f"{path.read_text()}{line}\n")
    with pytest.raises(InputError, match=message):
        read(path)


@pytest.mark.parametrize(("legacy", "present"), [("hand", "manual"), ("retrain", "automatic")])
def test_lines_of_earlier_versions_are_translated(tmp_path, legacy, present):
    checks = [{"figure" if key == "value" else key: value for key, value in one.items()} for one in DECISION.checks]
    path = tmp_path / "decisions.jsonl"
    path.write_text(json.dumps(asdict(DECISION) | {"by": legacy, "checks": checks}) + "\n")
    assert read(path) == [replace(DECISION, by=present)]
    append(path, DECISION)
    assert read(path) == [replace(DECISION, by=present), DECISION]


@pytest.mark.parametrize("line", ["", "[]", "3", "null", '{"by": 3, "checks": [1]}', b"\xff"])
def test_anything_else_is_not_a_decision(line):
    with pytest.raises(ValueError) as error:
        parse_decision(line)
    assert "\n" not in str(error.value)


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from promotion.test_decision_log import DECISION
from splitpose.promotion.decision_log import append
for number in range(50):
    append(Path(sys.argv[1]), replace(DECISION, time=f"{sys.argv[2]} {number}", reason="long " * 3000))
"""


def test_concurrent_processes_lose_no_decision(tmp_path, repository):
    path = tmp_path / "decisions.jsonl"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], cwd=repository / "tests")
        for name in ("one", "two", "three")
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    times = [decision.time for decision in read(path)]
    for name in ("one", "two", "three"):
        assert [time for time in times if time.startswith(name)] == [f"{name} {number}" for number in range(50)]


def test_markdown_has_every_value():
    text = replace(DECISION, dry_run=True, reference={"number": "2"}, warnings=["no record"]).as_markdown()
    assert text.splitlines()[0] == "# keep (dry run)"
    assert text.splitlines()[2].startswith(
        "dry run, nothing was changed: there is no champion, the new model would "
    )
    assert "- challenger: version 7, variant final\n- champion: none\n- reference: number 2" in text
    assert "\n\n**Warning:** no record\n\n" in text
    assert "| size | yes | 100 |  | 100 bytes |\n| slices | **no** | -3.5 | -2.0 | group a\\|b |" in text
    assert text.endswith("sample, 20261122T235959.123456Z, automatic")


ONE, TWO = {"number": "1"}, {"number": "2"}
NEW = {"number": ""}
"""The challenger of a dry run is not registered."""


@pytest.mark.parametrize(
    ("action", "dry_run", "challenger", "champion", "outcome"),
    [
        ("promote", False, TWO, ONE, "promoted version 2 in place of version 1"),
        ("promote", False, ONE, None, "promoted version 1"),
        (
            "promote", True, NEW, ONE,
            "dry run, nothing was changed: would promote the new model in place of version 1",
        ),
        ("promote", True, NEW, None, "dry run, nothing was changed: would promote the new model"),
        ("keep", False, TWO, ONE, "kept version 1"),
        ("keep", True, NEW, ONE, "dry run, nothing was changed: would keep version 1"),
        ("keep", False, TWO, None, "there is no champion, version 2 was not promoted"),
        (
            "keep", True, NEW, None,
            "dry run, nothing was changed: there is no champion, the new model would not be promoted",
        ),
        ("rollback", False, ONE, TWO, "rolled back to version 1 from version 2"),
        ("rollback", False, ONE, None, "rolled back to version 1"),
        ("reference", False, TWO, ONE, "made version 2 the reference"),
    ],
)  # fmt: skip
def test_the_headline_names_the_outcome_and_the_reason(action, dry_run, challenger, champion, outcome):
    decision = replace(DECISION, action=action, dry_run=dry_run, challenger=challenger, champion=champion)
    assert decision.headline == f"{outcome}: a slice is worse"


def test_records_without_user_host_and_metrics_remain_readable():
    values = {key: value for key, value in asdict(DECISION).items() if key not in ("user", "host", "metrics")}
    earlier = parse_decision(json.dumps(values))
    assert (earlier, earlier.author) == (DECISION, "automatic")
    present = replace(DECISION, by="manual", user="anna", host="box7", metrics={"target": "local"})
    assert parse_decision(present.as_json()) == present
    assert present.author == "manual (anna on box7)"


def test_an_account_without_a_name_is_recorded_by_its_number(monkeypatch):
    monkeypatch.setenv("LOGNAME", "anna")
    assert user_name() == "anna"
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 98765)
    assert user_name() == "98765"
