"""Messages to the webhook of the operators: the URL in SPLITPOSE_WEBHOOK.

SPLITPOSE_WEBHOOK_FORMAT selects the payload: `json`, an object with all fields, or `slack`, an object with the key
`text`, which Slack, Mattermost and compatible receivers show as a message.
"""

import json
import os
import time
from collections.abc import Mapping

import requests

from splitpose.errors import ExternalServiceError, InputError

URL = "SPLITPOSE_WEBHOOK"
FORMAT = "SPLITPOSE_WEBHOOK_FORMAT"
FORMATS = ("json", "slack")
TIMEOUT_S = 10.0
"""Seconds within which the receiver must accept a connection, and answer."""
HEADERS = {"Content-Type": "application/json"}
FIRST_DELAY_S = 1.0
"""Seconds before the first retry; each delay is twice the one before."""
FIRST_UNSUCCESSFUL_STATUS = 300
"""Statuses from 300 on are redirections, which would turn POST into GET, and errors."""
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
    for attempt in range(retries + 1):
        failure = _attempt(json.dumps(content))
        if failure is None:
            return
        reason, is_temporary = failure
        if not is_temporary:
            break
        if attempt < retries:
            time.sleep(FIRST_DELAY_S * 2**attempt)
    raise ExternalServiceError(f"{URL}: the message was not delivered: {reason}")


def _attempt(data: str) -> tuple[str, bool] | None:
    """Post once; return None, or the reason of a failure without the URL and whether it may be temporary."""
    try:
        response = requests.post(
            os.environ[URL], data=data, headers=HEADERS, timeout=TIMEOUT_S, allow_redirects=False
        )
    except requests.Timeout:
        return "no answer in time", True
    except requests.RequestException:
        return "cannot be reached", True
    status = response.status_code
    return None if status < FIRST_UNSUCCESSFUL_STATUS else (f"status {status}", status in TEMPORARY_STATUSES)


def _format() -> str:
    """Return the selected format. Raises InputError if it is unknown."""
    selected = os.environ.get(FORMAT) or FORMATS[0]
    if selected not in FORMATS:
        raise InputError(f"{FORMAT}: {selected} is unknown; choose {' or '.join(FORMATS)}")
    return selected
