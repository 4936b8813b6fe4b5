"""Decisions on who is champion, kept for good: one JSON line each in a file that only grows."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from splitpose.errors import InputError


@dataclass(frozen=True)
class Decision:
    """Who was judged, by what figures, and what came of it.

    time: UTC. by: a retraining, or a person's word. dry_run: nothing was changed. challenger, champion: what tells
    which models they are (versions, runs, hashes), None where there is none. checks: {"name", "passed", "figure",
    "limit", "text"} each (see `verdict.Check`). reason: one line.
    """

    time: str
    profile: str
    action: Literal["promote", "keep", "rollback"]
    by: Literal["retrain", "hand"]
    dry_run: bool
    challenger: dict[str, Any] | None
    champion: dict[str, Any] | None
    checks: list[dict[str, Any]]
    reason: str

    def as_markdown(self) -> str:
        """A heading, the reason, the models and a table of the checks."""
        models = {"challenger": self.challenger, "champion": self.champion}
        return "\n\n".join(
            [
                f"# {self.action}{' (dry run)' if self.dry_run else ''}",
                self.reason,
                "\n".join(f"- {name}: {_facts(model)}" for name, model in models.items()),
                *([_table(self.checks)] if self.checks else []),
                f"{self.profile}, {self.time}, by {self.by}",
            ]
        )


DECISION = TypeAdapter(Decision)


def append(path: Path, decision: Decision) -> None:
    """Add a decision to the file as a whole line, or not at all; processes that add at once wait for each other.

    Half a line at the end, of a process that was killed, is taken away.

    Raises InputError where the line cannot be written; the file is then as it was.
    """
    line = json.dumps(asdict(decision), allow_nan=False).encode() + b"\n"
    try:
        with _locked(path) as file:
            content = path.read_bytes()
            end = content.rfind(b"\n") + 1
            if _is_whole(content[end:]):
                line, end = b"\n" + line, len(content)
            os.ftruncate(file, end)
            try:
                if os.write(file, line) < len(line):
                    raise OSError("there was no room for the whole line")
                os.fsync(file)
            except OSError:
                os.ftruncate(file, end)
                raise
    except OSError as error:
        raise InputError(f"{path}: the decision could not be written ({error}); make room and try again") from error


def read(path: Path) -> list[Decision]:
    """All decisions, the oldest first; none where there is no file. Half a line at the end is passed over.

    Raises InputError naming a line that is no decision.
    """
    if not path.is_file():
        return []
    *lines, rest = path.read_bytes().split(b"\n")
    if _is_whole(rest):
        lines.append(rest)
    return [_decision(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, open for appending by this process alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _is_whole(line: bytes) -> bool:
    """Whether a line that lacks its end is a decision all the same, as after some editors."""
    try:
        DECISION.validate_json(line)
    except ValidationError:
        return False
    return True


def _decision(line: bytes, where: str) -> Decision:
    try:
        return DECISION.validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        what = ": ".join([*map(str, first["loc"]), first["msg"]])
        raise InputError(f"{where}: no decision ({what}); mend the line or take it away") from error


def _facts(model: dict[str, Any] | None) -> str:
    return ", ".join(f"{key} {value}" for key, value in model.items()) if model else "none"


def _table(checks: list[dict[str, Any]]) -> str:
    rows = [("check", "passed", "figure", "limit", ""), ("---", "---", "---:", "---:", "---")]
    for check in checks:
        passed = "yes" if check["passed"] else "**no**"
        rows.append((check["name"], passed, _cell(check["figure"]), _cell(check["limit"]), check["text"]))
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
