"""The decision log: every decision about the champion is a line of reports/decisions.jsonl and a registry tag.

Lines are only ever appended. The tag belongs to the version that the decision is about; `restore` appends missing
lines from the tags.
"""

import fcntl
import getpass
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from splitpose.errors import InputError
from splitpose.promotion.decision import Decision, parse_decision
from splitpose.promotion.notifications import notify
from splitpose.tracking.model_registry import ModelRegistry
from splitpose.tracking.registered_version import RegisteredVersion

TAG_PREFIX = "splitpose.decision."
"""Prefix of a version's tag that contains a decision; the decision's time follows."""


def append(path: Path, decision: Decision) -> None:
    """Append a decision as a complete line, or leave the file unchanged; concurrent processes wait for each other.

    An incomplete last line, which a killed process has left, is removed.

    Raises:
        InputError: the line cannot be written.
    """
    line = decision.as_json().encode() + b"\n"
    try:
        with _locked(path) as file:
            content = path.read_bytes()
            end = content.rfind(b"\n") + 1
            if _is_complete(content[end:]):
                line, end = b"\n" + line, len(content)
            os.ftruncate(file, end)
            try:
                if os.write(file, line) < len(line):
                    raise OSError("no space for the complete line")
                os.fsync(file)
            except OSError:
                os.ftruncate(file, end)
                raise
    except OSError as error:
        raise InputError(
            f"{path}: the decision cannot be written ({error}); free some space and try again"
        ) from error


def read(path: Path) -> list[Decision]:
    """Return all decisions in the order of the file, none if there is no file; skip an incomplete last line.

    Raises:
        InputError: a line is not a decision; the message contains its number.
    """
    if not path.is_file():
        return []
    *lines, rest = path.read_bytes().split(b"\n")
    if _is_complete(rest):
        lines.append(rest)
    return [_parse(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]


def execute(
    registry: ModelRegistry,
    version: RegisteredVersion,
    decision: Decision,
    path: Path,
    reference: RegisteredVersion | None = None,
) -> None:
    """Apply a decision about a version to the registry, and log it.

    The order is tag, aliases, line, so that an interruption loses nothing: `restore` appends the lines that are
    missing.

    Args:
        registry: the model registry.
        version: the version that the decision is about.
        decision: the decision.
        path: the decision log.
        reference: the reference after the decision, None to leave it unchanged.
    """
    registry.set_tags(version, {f"{TAG_PREFIX}{decision.time}": decision.as_json()})
    if decision.action == "promote":
        registry.promote(version)
    elif decision.action == "rollback":
        registry.rollback()
    if reference:
        registry.set_reference(reference)
    append(path, decision)
    notify(decision)


def restore(registry: ModelRegistry, path: Path) -> None:
    """Append the decisions that are in the registry but not in the file, in order of time.

    Raises:
        InputError: a line or a tag is not a decision.
    """
    for decision in _missing(registry, read(path)):
        append(path, decision)


def history(registry: ModelRegistry, path: Path) -> list[Decision]:
    """Return the decisions of the file and of the registry in order of time, without writing anything.

    Raises:
        InputError: a line or a tag is not a decision.
    """
    logged = read(path)
    return sorted([*logged, *_missing(registry, logged)], key=lambda decision: decision.time)


def _missing(registry: ModelRegistry, logged: Sequence[Decision]) -> list[Decision]:
    """Return the decisions in the registry's tags that are not logged, in order of time."""
    times = {decision.time for decision in logged}
    tagged = [
        _parse(text, f"{registry.name}, version {version.number}, tag {key}")
        for version in registry.versions()
        for key, text in version.tags.items()
        if key.startswith(TAG_PREFIX)
    ]
    return sorted((one for one in tagged if one.time not in times), key=lambda decision: decision.time)


def user_name() -> str:
    """Return the account that runs this process, its number if it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # for example in a container
        return str(os.getuid())


def host_name() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def timestamp() -> str:
    """Return the time in UTC with microseconds, e.g. 20261122T235959.123456Z, which identifies a decision."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def describe_version(version: RegisteredVersion) -> dict[str, Any]:
    """Return the facts about a version that a decision contains: its number, run, hash, variant and precision."""
    return {key: value for key, value in asdict(version).items() if key != "tags"}


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Yield a descriptor of the file, opened for appending and locked for this process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _is_complete(line: bytes) -> bool:
    """Return whether a line without a line end, which some editors omit, is a decision."""
    try:
        parse_decision(line)
    except ValueError:
        return False
    return True


def _parse(text: str | bytes, place: str) -> Decision:
    try:
        return parse_decision(text)
    except ValueError as error:
        raise InputError(f"{place}: not a decision ({error}); correct or remove it") from error
