"""The alerts that were posted, or wait for being posted again: variables of the Prefect server.

A variable's name is unique, so that one of several machines posts an alert; Prefect's UI lists them.
"""

import socket
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from splitpose import webhook
from splitpose.errors import ExternalServiceError

PREFIX = "splitpose-alert-"
FIRST_DELAY, MAX_DELAY = timedelta(seconds=10), timedelta(minutes=30)
"""Durations between two attempts to post an alert; each is twice the one before."""
MAX_AGE = timedelta(days=3)
"""Age at which an alert that cannot be posted is given up, and a posted one is forgotten."""


class AlertLog:
    """The alerts of one `splitpose schedule`."""

    def __init__(self, client: SyncPrefectClient):
        """Use the server of the client. Nothing is read yet."""
        self.client = client
        self.owner = f"{socket.gethostname()}:{Path.cwd()}"
        self.known: set[str] = set()
        """Names of variables that exist, so that no request is necessary."""

    def add(self, key: str, payload: dict[str, object], now: datetime) -> None:
        """Add an alert, which `deliver` posts, unless it was added before, on any machine."""
        name = PREFIX + key
        if name in self.known:
            return
        value = {
            "payload": payload,
            "owner": self.owner,
            "created": now.isoformat(),
            "delivered": None,
            "attempts": 0,
            "next_attempt": now.isoformat(),
        }
        with suppress(ObjectAlreadyExists):
            self.client.create_variable(VariableCreate(name=name, value=value, tags=["splitpose"]))
        self.known.add(name)

    def deliver(self, now: datetime, current: Collection[str] = ()) -> list[str]:
        """Post the alerts that are due, and forget old ones.

        Args:
            now: the present time.
            current: keys of alerts whose cause still exists; they are not forgotten, because they would be added
                again.

        Returns:
            A line about each failure.
        """
        failures = []
        for name, value in self._read().items():
            age = now - datetime.fromisoformat(value["created"])
            if age > MAX_AGE and name.removeprefix(PREFIX) not in current:
                self._forget(name)
            elif (
                value["delivered"] is None
                and value["owner"] == self.owner
                and datetime.fromisoformat(value["next_attempt"]) <= now
            ):
                failures += self._post(name, value, now)
        return failures

    def _post(self, name: str, value: dict[str, Any], now: datetime) -> list[str]:
        """Post one alert and record the result; return a line if it was not delivered."""
        attempts = value["attempts"] + 1
        try:
            webhook.post(value["payload"])
        except ExternalServiceError as error:
            delay = min(FIRST_DELAY * 2 ** (attempts - 1), MAX_DELAY)
            changes = {"attempts": attempts, "next_attempt": (now + delay).isoformat(), "error": str(error)}
            self._update(name, value | changes)
            seconds = delay.total_seconds()
            return [f"alert {name.removeprefix(PREFIX)}: {error}; attempt {attempts}, next in {seconds:g} s"]
        self._update(name, value | {"attempts": attempts, "delivered": now.isoformat()})
        return []

    def _read(self) -> dict[str, dict[str, Any]]:
        """Return the values of all alerts by name."""
        values: dict[str, dict[str, Any]] = {}
        offset = 0
        body: dict[str, Any] = {"variables": {"name": {"like_": PREFIX}}, "limit": 200, "sort": "NAME_ASC"}
        while page := self.client.request("POST", "/variables/filter", json={**body, "offset": offset}).json():
            values |= {one["name"]: one["value"] for one in page}
            offset += len(page)
        self.known = set(values)
        return values

    def _update(self, name: str, value: dict[str, Any]) -> None:
        self.client.update_variable(VariableUpdate(name=name, value=value))

    def _forget(self, name: str) -> None:
        with suppress(ObjectNotFound):  # another machine was faster
            self.client.delete_variable_by_name(name)
        self.known.discard(name)
