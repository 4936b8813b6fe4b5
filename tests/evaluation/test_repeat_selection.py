import pandas as pd
import pytest

from splitpose.evaluation.repeat_selection import select_repeat


def history(*steps: tuple[str, float, float]) -> pd.DataFrame:
    """Return a training history of steps (phase, PCK, loss)."""
    return pd.DataFrame(steps, columns=["phase", "val_pck_0.2", "val_loss"]).assign(iteration=range(len(steps)))


def fine_tuned(pck: float, loss: float) -> pd.DataFrame:
    return history(("frozen", 10.0, 0.9), ("fine_tune", pck, loss))


@pytest.mark.parametrize(
    ("histories", "selected"),
    [
        ({1: fine_tuned(50, 0.1)}, 1),
        ({1: fine_tuned(50, 0.1), 2: fine_tuned(60, 0.3), 3: fine_tuned(55, 0.2)}, 2),
        ({1: fine_tuned(60, 0.3), 2: fine_tuned(60, 0.1), 3: fine_tuned(60, 0.2)}, 2),  # a tie: the lowest loss
        ({3: fine_tuned(60, 0.1), 2: fine_tuned(60, 0.1)}, 2),  # equal: the lowest number
        # Only the best step of the last phase counts: its weights were kept.
        ({1: history(("frozen", 90, 0.1), ("fine_tune", 50, 0.2)), 2: fine_tuned(51, 0.3)}, 2),
        ({1: history(("fine_tune", 70, 0.2), ("fine_tune", 40, 0.1)), 2: fine_tuned(60, 0.1)}, 1),
    ],
)
def test_the_best_repeat_on_the_validation_split_is_selected(histories, selected):
    assert select_repeat(histories) == selected
