import pandas as pd

from splitpose.evaluation import training_history


def test_best_row_of_a_history(tmp_path):
    row = dict.fromkeys(training_history.COLUMNS, 0.0)
    rows = [
        row | {"phase": "frozen", "iteration": 1, "val_pck_0.2": 99.0},
        row | {"phase": "fine_tune", "iteration": 2, "val_pck_0.2": 50.0, "val_loss": 0.2},
        row | {"phase": "fine_tune", "iteration": 3, "val_pck_0.2": 50.0, "val_loss": 0.1},
        row | {"phase": "fine_tune", "iteration": 4, "val_pck_0.2": 40.0},
    ]
    training_history.write(pd.DataFrame(rows), tmp_path / "h.csv")
    assert training_history.best_row(training_history.read(tmp_path / "h.csv"))["iteration"] == 3
