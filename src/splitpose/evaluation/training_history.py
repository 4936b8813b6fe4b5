"""The training history as CSV: one row per validation step, both phases on one count of iterations."""

from pathlib import Path
from typing import Any

import pandas as pd

from splitpose.files import atomic_file

COLUMNS = ["phase", "iteration", "train_loss", "val_loss", "val_pck_0.2", "learning_rate", "averaged"]
"""Columns of the CSV."""

HistoryRow = dict[str, Any]
"""One validation step: phase, iteration, train_loss (mean since the previous validation step), val_loss,
val_pck_0.2 (percent), learning_rate, and averaged (whether the exponential moving average of the weights was
better)."""


def empty() -> pd.DataFrame:
    """Return the history of a phase that was skipped."""
    return pd.DataFrame(columns=COLUMNS)


def write(history: pd.DataFrame, path: Path) -> None:
    """Write a history."""
    with atomic_file(path) as temporary:
        history[COLUMNS].to_csv(temporary, index=False, float_format="%.8g")


def read(path: Path) -> pd.DataFrame:
    """Read a history."""
    return pd.read_csv(path)


def best_row(history: pd.DataFrame) -> pd.Series:
    """Return the validation step whose weights were kept.

    It has the highest PCK of the last phase; a tie is broken by the lowest loss.
    """
    last = history[history["phase"] == history["phase"].iloc[-1]]
    best: pd.Series = last.sort_values(["val_pck_0.2", "val_loss"], ascending=[False, True], kind="stable").iloc[0]
    return best
