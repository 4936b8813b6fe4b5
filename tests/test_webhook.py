import pytest
from support.servers import free_port

from splitpose import webhook
from splitpose.errors import ExternalServiceError, InputError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("selected", "payload"),
    [
        (None, {"alert": "failed", "run": "a", "text": "run a failed"}),
        ("json", {"alert": "failed", "run": "a", "text": "run a failed"}),
        ("slack", {"text": "run a failed"}),
    ],
)
def test_the_format_selects_the_payload(receiver, monkeypatch, selected, payload):
    if selected:
        monkeypatch.setenv("SPLITPOSE_WEBHOOK_FORMAT", selected)
    webhook.post(webhook.payload("run a failed", {"alert": "failed", "run": "a"}))
    assert receiver.posted == [payload]


def test_an_unknown_format_is_an_error(monkeypatch):
    monkeypatch.setenv("SPLITPOSE_WEBHOOK_FORMAT", "xml")
    with pytest.raises(InputError, match="SPLITPOSE_WEBHOOK_FORMAT: xml is unknown; choose json or slack"):
        webhook.check()


def test_a_url_of_another_kind_is_an_error_that_does_not_show_it(monkeypatch):
    monkeypatch.setenv("SPLITPOSE_WEBHOOK", "ftp://secret")
    with pytest.raises(InputError, match="SPLITPOSE_WEBHOOK: is not a URL") as caught:
        webhook.check()
    assert "secret" not in str(caught.value)


def test_temporary_failures_are_retried(receiver, monkeypatch):
    monkeypatch.setattr("splitpose.webhook.FIRST_DELAY_S", 0.0)
    receiver.statuses = [503, 429]
    webhook.post({"text": "a"}, retries=2)
    assert len(receiver.posted) == 3


@pytest.mark.parametrize(("status", "attempts"), [(404, 1), (302, 1), (500, 2)])
def test_a_refused_message_is_an_error_without_the_url(receiver, monkeypatch, status, attempts):
    monkeypatch.setattr("splitpose.webhook.FIRST_DELAY_S", 0.0)
    receiver.statuses = [status] * 2
    with pytest.raises(ExternalServiceError, match=f"not delivered: status {status}") as caught:
        webhook.post({"text": "a"}, retries=1)
    assert len(receiver.posted) == attempts
    assert "secret" not in str(caught.value)


def test_a_receiver_that_is_down_is_an_error_without_the_url(monkeypatch):
    monkeypatch.setenv("SPLITPOSE_WEBHOOK", f"http://127.0.0.1:{free_port()}/secret-path")
    with pytest.raises(ExternalServiceError, match="not delivered: cannot be reached") as caught:
        webhook.post({"text": "a"})
    assert "secret" not in str(caught.value)
