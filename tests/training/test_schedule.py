import numpy as np

from splitpose.training.schedule import is_plateau


def test_learning_rate_is_reduced_after_validation_steps_without_improvement():
    assert not is_plateau([5, 4, 4], 2)
    assert is_plateau([5, 4, 4, 4], 2)
    assert not is_plateau([5, 4, 4, 4, 4], 2)  # after a reduction, patience starts again
    assert is_plateau([5, 4, 4, 4, 4, 4], 2)
    assert not is_plateau([5, 4, 4, 4, 4, 3], 2)
    assert is_plateau([5, 4, 4, 4, 3, 4, 4], 2)
    assert not is_plateau([5, 4, 4, np.nan, 3], 3)
