"""Selection of the repeated training run whose model is exported."""

from collections.abc import Mapping

import pandas as pd

from splitpose.evaluation.training_history import best_row


def select_repeat(histories: Mapping[int, pd.DataFrame]) -> int:
    """Return the number of the repeat that is best on the validation split.

    Each repeat is represented by the validation step whose weights were kept. The highest PCK wins; ties are broken
    by the lowest loss, then by the lowest number.

    Args:
        histories: the training history of each repeat, by its number.
    """
    best = {repeat: best_row(history) for repeat, history in histories.items()}
    return min(best, key=lambda repeat: (-best[repeat]["val_pck_0.2"], best[repeat]["val_loss"], repeat))
