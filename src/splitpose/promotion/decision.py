"""A decision about the champion: its JSON form and its summary in Markdown."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

LEGACY_ACTORS = {"hand": "manual", "retrain": "automatic"}
"""Values of `by` in decisions of earlier versions, and the values that replaced them."""


Action = Literal["promote", "keep", "rollback", "reference"]
"""`reference`: the version that the decision describes as the challenger has become the reference."""


@dataclass(frozen=True)
class Decision:
    """A decision, the models that it compares and the results of the checks that it is based on."""

    time: str
    """UTC, e.g. 20261122T235959.123456Z; it identifies the decision."""
    profile: str
    action: Action
    by: Literal["automatic", "manual"]
    """The flow `retrain` or a user."""
    dry_run: bool
    """True if the model registry was not changed."""
    challenger: dict[str, Any] | None
    champion: dict[str, Any] | None
    """The versions (see `decision_log.describe_version`); None if there is none."""
    checks: list[dict[str, Any]]
    """The results of the gate (see `checks.CheckResult`); empty for a manual decision."""
    reason: str
    """One line."""
    reference: dict[str, Any] | None = None
    """The reference after the decision; None if there is none, and in decisions of earlier versions."""
    warnings: list[str] = field(default_factory=list)
    """What the comparison could not take into account, each in one line."""
    user: str | None = None
    """The account that decided manually or ran the flow; None in decisions of earlier versions."""
    host: str | None = None
    """The machine on which the decision was made; None in decisions of earlier versions."""
    metrics: dict[str, Any] | None = None
    """The metrics of the models (see `measurements.Evidence.as_metrics`); None if nothing was measured."""

    @property
    def author(self) -> str:
        """Who decided, e.g. "manual (anna on box7)"."""
        if self.user and self.host:
            return f"{self.by} ({self.user} on {self.host})"
        return self.by

    @property
    def headline(self) -> str:
        """What was decided and why, in one line, e.g. "kept version 1: the check pck failed: ..."."""
        dry_run = "dry run, nothing was changed: " if self.dry_run else ""
        return f"{dry_run}{self._outcome()}: {self.reason}"

    def _outcome(self) -> str:
        """Return what happened, or would have happened, to the champion or the reference."""
        challenger, champion = _number(self.challenger), _number(self.champion)
        new = f"version {challenger}" if challenger else "the new model"
        if self.action == "promote":
            instead = f" in place of version {champion}" if champion else ""
            return f"{'would promote' if self.dry_run else 'promoted'} {new}{instead}"
        if self.action == "rollback":
            return f"rolled back to {new}{f' from version {champion}' if champion else ''}"
        if self.action == "reference":
            return f"made {new} the reference"
        if not champion:
            verb = "would not be promoted" if self.dry_run else "was not promoted"
            return f"there is no champion, {new} {verb}"
        return f"{'would keep' if self.dry_run else 'kept'} version {champion}"

    def as_json(self) -> str:
        """Return the decision as one line of JSON."""
        return json.dumps(asdict(self), allow_nan=False)

    def as_markdown(self) -> str:
        """Return a heading, the reason, the warnings, the models and a table of the checks."""
        models = {"challenger": self.challenger, "champion": self.champion, "reference": self.reference}
        return "\n\n".join(
            [
                f"# {self.action}{' (dry run)' if self.dry_run else ''}",
                self.headline,
                *(f"**Warning:** {warning}" for warning in self.warnings),
                "\n".join(f"- {name}: {_model_text(model)}" for name, model in models.items()),
                *([_checks_table(self.checks)] if self.checks else []),
                f"{self.profile}, {self.time}, {self.author}",
            ]
        )


ADAPTER = TypeAdapter(Decision)


def parse_decision(text: str | bytes) -> Decision:
    """Return the decision in a line of JSON; decisions of earlier versions are translated.

    Raises:
        ValueError: the text is not a decision; the message is one line.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ValueError(f"invalid JSON: {error}") from error
    try:
        return ADAPTER.validate_python(_upgraded(values) if isinstance(values, dict) else values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(": ".join([*map(str, first["loc"]), first["msg"]])) from error


def _upgraded(values: dict[str, Any]) -> dict[str, Any]:
    """Return a decision of any version with the present keys and values."""
    by, checks = values.get("by"), values.get("checks")
    if isinstance(by, str):
        values = values | {"by": LEGACY_ACTORS.get(by, by)}
    if isinstance(checks, list):
        values = values | {"checks": [_upgraded_check(check) for check in checks]}
    return values


def _upgraded_check(check: Any) -> Any:
    """Return a check's result with its value under the key "value", which was "figure" in earlier versions."""
    if not isinstance(check, dict):
        return check
    return {"value" if key == "figure" else key: value for key, value in check.items()}


def _model_text(model: dict[str, Any] | None) -> str:
    return ", ".join(f"{key} {value}" for key, value in model.items()) if model else "none"


def _checks_table(checks: list[dict[str, Any]]) -> str:
    """Return a Markdown table with one row per check."""
    rows = [("check", "passed", "value", "limit", ""), ("---", "---", "---:", "---:", "---")]
    for check in checks:
        passed = "yes" if check["passed"] else "**no**"
        rows.append((check["name"], passed, _cell(check["value"]), _cell(check["limit"]), check["text"]))
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _number(model: dict[str, Any] | None) -> str:
    """Return the number of a version, "" if there is no version or if it is not registered (dry run)."""
    return str(model.get("number") or "") if model else ""
