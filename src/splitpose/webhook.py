"""Messages to the webhook of the operators: the URL in SPLITPOSE_WEBHOOK.

SPLITPOSE_WEBHOOK_FORMAT selects the payload: `json`, an object with all fields, or `slack`, an object with the key
`text`, which Slack, Mattermost and compatible receivers show as a message.
"""

import os
from collections.abc import Mapping

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from splitpose.errors import ExternalServiceError, InputError

URL = "SPLITPOSE_WEBHOOK"
FORMAT = "SPLITPOSE_WEBHOOK_FORMAT"
FORMATS = ("json", "slack")
TIMEOUT_S = 10.0
"""Seconds within which the receiver must accept a connection, and answer."""
TEMPORARY_STATUSES = (429, 500, 502, 503, 504)


def is_configured() -> bool:
    """Return whether there is a webhook."""
    return bool(os.environ.get(URL))


def check() -> None:
    """Raise InputError if the URL or the format is invalid."""
    url = os.environ.get(URL) or "https://"
    if not url.startswith(("http://", "https://")):
        raise InputError(f"{URL}: is not a URL that starts with http:// or https://; correct or unset it")
    _format()


def payload(text: str, fields: Mapping[str, object]) -> dict[str, object]:
    """Return the JSON object of a message in the format that the environment selects.

    Args:
        text: the message, one line for people.
        fields: the same in fields for programs; `text` is added to them.

    Raises:
        InputError: the format is unknown.
    """
    return {"text": text} if _format() == "slack" else {**fields, "text": text}


def post(content: Mapping[str, object], retries: int = 0) -> None:
    """Post a JSON object to the webhook.

    Args:
        content: the object.
        retries: number of further attempts, after 1, 2, 4, ... seconds, if the receiver cannot be reached or is
            temporarily not available.

    Raises:
        ExternalServiceError: it was not delivered. The message does not contain the URL, which may be a secret.
    """
    policy = Retry(
        retries,
        redirect=0,
        backoff_factor=1.0,
        status_forcelist=TEMPORARY_STATUSES,
        allowed_methods=None,
        raise_on_status=False,
        respect_retry_after_header=False,  # it may ask for hours
    )
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=policy))
        session.mount("https://", HTTPAdapter(max_retries=policy))
        try:
            url = os.environ[URL]
            response = session.post(url, json=dict(content), timeout=TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
            reason = "no answer in time" if isinstance(error, requests.Timeout) else "cannot be reached"
            raise ExternalServiceError(f"{URL}: the message was not delivered: {reason}") from None
    if not requests.codes.ok <= response.status_code < requests.codes.multiple_choices:
        raise ExternalServiceError(f"{URL}: the message was not delivered: status {response.status_code}")


def _format() -> str:
    """Return the selected format. Raises InputError if it is unknown."""
    selected = os.environ.get(FORMAT) or FORMATS[0]
    if selected not in FORMATS:
        raise InputError(f"{FORMAT}: {selected} is unknown; choose {' or '.join(FORMATS)}")
    return selected
