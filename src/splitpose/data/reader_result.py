"""What every reader of a source gives."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Reading:
    """The annotation table, and how many people were left out for which reason."""

    table: pd.DataFrame
    left_out: dict[str, int]


def joined(readings: Iterable[Reading]) -> Reading:
    """Several readings (at least one) as one."""
    tables, left_out = [], Counter[str]()
    for reading in readings:
        tables.append(reading.table)
        left_out.update(reading.left_out)
    return Reading(pd.concat(tables, ignore_index=True), dict(left_out))
