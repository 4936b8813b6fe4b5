"""Messages about decisions, posted to a real receiver."""

import pytest
from support.servers import free_port

from splitpose.promotion.decision import Decision
from splitpose.promotion.notifications import notify

pytestmark = pytest.mark.unit


def decision(action, champion="1", by="automatic", dry_run=False):
    return Decision(
        time="20261122T235959.123456Z",
        profile="sample",
        action=action,
        by=by,
        dry_run=dry_run,
        challenger={"number": "3", "variant": "final"},
        champion={"number": champion, "variant": "final"} if champion else None,
        checks=[],
        reason="all checks passed",
        user="anna",
        host="box7",
    )


@pytest.mark.parametrize(
    ("action", "champion", "name", "text"),
    [
        ("promote", "1", "promotion", "promoted version 3 in place of version 1"),
        ("promote", None, "promotion", "promoted version 3"),
        ("keep", "1", "rejection", "kept version 1"),
        ("keep", None, "rejection", "there is no champion, version 3 was not promoted"),
        ("rollback", "1", "rollback", "rolled back to version 3 from version 1"),
        ("reference", "1", "reference", "made version 3 the reference"),
    ],
)
def test_every_decision_is_posted_once(receiver, action, champion, name, text):
    notify(decision(action, champion))
    assert receiver.posted == [
        {
            "alert": name,
            "id": "20261122T235959.123456Z",
            "profile": "sample",
            "by": "automatic",
            "user": "anna",
            "host": "box7",
            "version": "3",
            "champion_before": champion,
            "reason": "all checks passed",
            "text": f"splitpose: sample: {text}: all checks passed [automatic (anna on box7)]",
        }
    ]


def test_a_dry_run_is_not_posted(receiver):
    notify(decision("promote", dry_run=True))
    assert receiver.posted == []


def test_a_night_without_new_data_is_not_posted(receiver):
    notify(decision("keep", champion="3"))
    assert receiver.posted == []


def test_a_failed_delivery_is_a_warning(monkeypatch, caplog):
    monkeypatch.setattr("splitpose.webhook.FIRST_DELAY_S", 0.0)
    monkeypatch.setenv("SPLITPOSE_WEBHOOK", f"http://127.0.0.1:{free_port()}/secret-path")
    notify(decision("promote"))
    assert "SPLITPOSE_WEBHOOK: the message was not delivered" in caplog.text
    assert "secret-path" not in caplog.text
