"""The training curves as a CSV: one row a look, both phases on one count of iterations."""

from pathlib import Path

import pandas as pd

from splitpose.files import atomic_file

COLUMNS = ["phase", "iteration", "train_loss", "val_loss", "val_pck_0.2", "learning_rate", "averaged"]
"""What a row says is told at `splitpose.training.phase.Row`."""


def write(rows: pd.DataFrame, path: Path) -> None:
    """Write the rows."""
    with atomic_file(path) as beside:
        rows[COLUMNS].to_csv(beside, index=False, float_format="%.8g")


def read(path: Path) -> pd.DataFrame:
    """The rows of one file."""
    return pd.read_csv(path)


def best(history: pd.DataFrame) -> pd.Series:
    """The look whose weights were kept: of the last phase, the highest PCK, of equal ones the lower loss."""
    last = history[history["phase"] == history["phase"].iloc[-1]]
    return last.sort_values(["val_pck_0.2", "val_loss"], ascending=[False, True], kind="stable").iloc[0]
