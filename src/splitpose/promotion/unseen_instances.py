"""The test instances on which models can be compared: those that none of them was trained or selected on."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from splitpose.data.training_groups import TrainingGroups


@dataclass(frozen=True)
class UnseenInstances:
    """The rows that no model has seen, and how many were excluded."""

    rows: pd.DataFrame
    """Rows of the annotation table."""
    excluded: int
    """Number of test instances that at least one model has seen."""
    excluded_by: Mapping[str, int]
    """The number of test instances that each model has seen, without those that have seen none."""

    @property
    def description(self) -> str:
        """One line, e.g. "380 test instances; excluded because of training on them: 20 (champion 20)"."""
        text = f"{len(self.rows)} test instances that no compared model was trained on"
        if not self.excluded:
            return text
        models = ", ".join(f"{name} {count}" for name, count in self.excluded_by.items())
        return f"{text}; {self.excluded} are excluded, because they are in training groups ({models})"


def exclude_seen(rows: pd.DataFrame, groups: Mapping[str, TrainingGroups | None]) -> UnseenInstances:
    """Exclude the instances that a model has seen.

    Args:
        rows: test instances of the annotation table.
        groups: the record of each model by its name; a model without one excludes nothing.
    """
    seen = {name: record.contains(rows) for name, record in groups.items() if record}
    any_seen = pd.DataFrame(seen, index=rows.index).any(axis=1)
    return UnseenInstances(
        rows=rows[~any_seen].reset_index(drop=True),
        excluded=int(any_seen.sum()),
        excluded_by={name: int(mask.sum()) for name, mask in seen.items() if mask.any()},
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
