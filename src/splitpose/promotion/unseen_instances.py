"""The test instances on which models can be compared: those that none of them was trained or selected on."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from splitpose.data.training_groups import TrainingGroups

NOT_TRAINED_ON = {1: "the challenger was not trained on", 2: "neither model was trained on"}
"""By number of compared models, the condition that the instances meet; for more models see `label`."""


@dataclass(frozen=True)
class UnseenInstances:
    """The rows that no model has seen, and how many of the test instances are not among them, and why."""

    rows: pd.DataFrame
    """Rows of the annotation table."""
    excluded: int
    """Number of test instances that at least one model has seen."""
    excluded_by: Mapping[str, int]
    """The number of test instances that each model has seen, without those that have seen none."""
    models: int
    """Number of different models that are compared."""
    total: int
    """Number of test instances that the challenger can crop; those that another model cannot crop are left out."""

    @property
    def label(self) -> str:
        """Name of the set, e.g. "the 463 of 486 test instances that neither model was trained on"."""
        if len(self.rows) == self.total:
            return f"all {self.total} test instances"
        conditions = []
        if self.excluded:
            conditions.append(NOT_TRAINED_ON.get(self.models, "none of the models was trained on"))
        if len(self.rows) + self.excluded < self.total:
            conditions.append("every model can crop")
        return f"the {len(self.rows)} of {self.total} test instances that {' and '.join(conditions)}"

    @property
    def description(self) -> str:
        """Name of the set, and how many test instances each model has seen."""
        if not self.excluded:
            return f"{self.label} can be compared"
        models = ", ".join(f"{name} {count}" for name, count in self.excluded_by.items())
        return f"{self.label} can be compared; {self.excluded} are in groups that a model was trained on ({models})"


def exclude_seen(
    rows: pd.DataFrame,
    groups: Mapping[str, TrainingGroups | None],
    models: int | None = None,
    total: int | None = None,
) -> UnseenInstances:
    """Exclude the instances that a model has seen.

    Args:
        rows: test instances of the annotation table that every model can crop.
        groups: the record of each model by its name; a model without one excludes nothing.
        models: the number of different models, by default that of the records.
        total: the number of test instances that the challenger can crop, by default that of the rows.
    """
    seen = {name: record.contains(rows) for name, record in groups.items() if record}
    any_seen = pd.DataFrame(seen, index=rows.index).any(axis=1)
    return UnseenInstances(
        rows=rows[~any_seen].reset_index(drop=True),
        excluded=int(any_seen.sum()),
        excluded_by={name: int(mask.sum()) for name, mask in seen.items() if mask.any()},
        models=len(groups) if models is None else models,
        total=len(rows) if total is None else total,
    )


def describe_unknown(groups: Mapping[str, TrainingGroups | None]) -> list[str]:
    """Return a warning for each model that has no record or an incomplete one."""
    consequence = "test instances that it has seen may be among the compared ones"
    warnings = []
    for name, record in groups.items():
        if record is None:
            warnings.append(f"the {name} has no record of the groups that it was trained on; {consequence}")
        elif not record.complete:
            warnings.append(
                f"the {name}'s record of the groups that it was trained on is incomplete, because a model that its "
                f"training started from has none; {consequence}"
            )
    return warnings
