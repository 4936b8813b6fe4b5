"""The result type that all readers of annotations share."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class ReaderResult:
    """An annotation table, and how many instances the reader skipped."""

    table: pd.DataFrame
    """Annotation table."""
    skipped: dict[str, int]
    """Number of skipped instances by reason."""


def concatenate(results: Iterable[ReaderResult]) -> ReaderResult:
    """Concatenate the tables of at least one result and add up the skipped instances."""
    tables, skipped = [], Counter[str]()
    for result in results:
        tables.append(result.table)
        skipped.update(result.skipped)
    return ReaderResult(pd.concat(tables, ignore_index=True), dict(skipped))
