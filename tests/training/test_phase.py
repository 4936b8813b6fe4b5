import keras
import numpy as np
import pandas as pd
import pytest

from splitpose import models
from splitpose.errors import InputError
from splitpose.settings import Phase, PhaseOverride, Training, VariantOverride
from splitpose.training import history, phase
from splitpose.training.phase import People, Watcher

SIZE = 32


def settings(**changes):
    numbers = {
        "batch": 4, "seed": 1, "evaluate_every": 2, "plateau_patience": 1, "average_decay": 0.9,
        "heatmap_width": 3.0, "frozen": phase_settings(), "fine_tune": phase_settings(),
    }  # fmt: skip
    return Training(**(numbers | changes))


def phase_settings(**changes):
    return Phase(**({"iterations": 4, "learning_rate": 1e-3, "warm_up": 0, "schedule": "plateau"} | changes))


def people(count=4):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)
    return People(pixels, rng.uniform(4, 28, (count, 11, 2)).astype(np.float32))


def batches():
    import tensorflow as tf

    return tf.data.Dataset.from_tensors((people().pixels, people().joints)).repeat()


def trained(name="baseline", training=None, one=None, watcher=None):
    keras.utils.set_random_seed(2)
    model = models.build(name, SIZE, 0.25, momentum=0.5)
    codec = models.codec(name, SIZE)
    rows = phase.run(
        model, codec, batches(), people(), "fine_tune", training or settings(), one or phase_settings(), 10, watcher
    )
    return model, rows


def test_rows_and_watcher():
    seen = []
    _, rows = trained(watcher=Watcher(lambda i, loss: seen.append(i), lambda row: seen.append(row["iteration"])))
    assert [row["iteration"] for row in rows] == [12, 14]
    assert seen == [11, 12, 12, 13, 14, 14]
    assert set(rows[0]) == set(history.COLUMNS)


def test_the_best_look_is_left_in_the_model():
    model, rows = trained(one=phase_settings(iterations=8, learning_rate=0.05))
    best = max(rows, key=lambda row: (row["val_pck_0.2"], -row["val_loss"]))
    codec = models.codec("baseline", SIZE)
    losses = phase.squared_error(codec)(people().joints, phase.predict(model, people().pixels))
    assert float(np.mean(losses)) == pytest.approx(best["val_loss"], rel=1e-4)


def test_the_same_seed_gives_the_same_weights():
    first, second = (trained("final")[0].get_weights() for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_learning_lowers_the_loss():
    _, rows = trained(one=phase_settings(iterations=40, learning_rate=3e-3), training=settings(evaluate_every=20))
    assert rows[-1]["train_loss"] < 0.5 * rows[0]["train_loss"]


def test_cosine_falls_to_zero_and_plateau_halves():
    _, rows = trained(one=phase_settings(iterations=4, schedule="cosine", warm_up=2))
    assert rows[-1]["learning_rate"] == pytest.approx(0, abs=1e-9)
    _, rows = trained(one=phase_settings(iterations=20, learning_rate=1.0))
    halvings = np.log2(1.0 / rows[-1]["learning_rate"])
    assert halvings >= 1
    assert halvings == round(halvings)


def test_no_number_stops_with_the_iteration():
    def spoil(joints, outputs):
        return keras.ops.sum(outputs * np.nan, axis=(1, 2))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phase, "squared_error", lambda codec: spoil)
        with pytest.raises(InputError, match="the loss is nan at iteration 11; lower the learning rate"):
            trained()


def test_a_variant_may_differ():
    override = VariantOverride(fine_tune=PhaseOverride(learning_rate=0.5))
    assert phase.settings_for(settings(), "fine_tune", override).learning_rate == 0.5
    assert phase.settings_for(settings(), "frozen", override).learning_rate == 1e-3
    assert phase.settings_for(settings(), "fine_tune", override).iterations == 4


def test_best_of_a_history(tmp_path):
    row = dict.fromkeys(history.COLUMNS, 0.0)
    rows = [
        row | {"phase": "frozen", "iteration": 1, "val_pck_0.2": 99.0},
        row | {"phase": "fine_tune", "iteration": 2, "val_pck_0.2": 50.0, "val_loss": 0.2},
        row | {"phase": "fine_tune", "iteration": 3, "val_pck_0.2": 50.0, "val_loss": 0.1},
        row | {"phase": "fine_tune", "iteration": 4, "val_pck_0.2": 40.0},
    ]
    history.write(pd.DataFrame(rows), tmp_path / "h.csv")
    assert history.best(history.read(tmp_path / "h.csv"))["iteration"] == 3
