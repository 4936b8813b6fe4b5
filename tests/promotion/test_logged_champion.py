import subprocess
import sys
from dataclasses import replace

import pytest

from splitpose.errors import InputError
from splitpose.promotion.decision import Decision
from splitpose.promotion.decision_log import append
from splitpose.promotion.logged_champion import LoggedChampion, logged_champion

PROMOTED = Decision(
    time="20261122T235959.123456Z",
    profile="sample",
    action="promote",
    by="automatic",
    dry_run=False,
    challenger={"number": "2", "sha256": "ab"},
    champion={"number": "1", "sha256": "cd"},
    checks=[],
    reason="better",
)
ROLLED_BACK = replace(PROMOTED, time="20261123T1", action="rollback", challenger=PROMOTED.champion)


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([], None),
        ([PROMOTED], LoggedChampion("2", "ab", "promoted", "2026-11-22")),
        ([PROMOTED, ROLLED_BACK], LoggedChampion("1", "cd", "restored", "2026-11-23")),
        ([ROLLED_BACK, PROMOTED], LoggedChampion("2", "ab", "promoted", "2026-11-22")),
        ([PROMOTED, replace(ROLLED_BACK, action="keep")], LoggedChampion("2", "ab", "promoted", "2026-11-22")),
        ([replace(PROMOTED, action="reference")], None),
        ([replace(PROMOTED, dry_run=True)], None),
        ([replace(PROMOTED, profile="flic")], None),
    ],
)
def test_the_last_change_of_the_profile_determines_the_champion(tmp_path, decisions, expected):
    log = tmp_path / "decisions.jsonl"
    for decision in decisions:
        append(log, decision)
    assert logged_champion(log, "sample") == expected


def test_a_damaged_log_is_an_error(tmp_path):
    (tmp_path / "decisions.jsonl").write_text("nothing\n")
    with pytest.raises(InputError, match="line 1: not a decision"):
        logged_champion(tmp_path / "decisions.jsonl", "sample")


def test_mlflow_is_not_imported():
    code = "import sys, splitpose.promotion.logged_champion; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
