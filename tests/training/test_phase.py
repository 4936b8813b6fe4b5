import errno

import keras
import numpy as np
import pandas as pd
import pytest

from splitpose import models
from splitpose.settings import Phase, PhaseOverride, Training, VariantOverride
from splitpose.training import history, phase
from splitpose.training.checkpoint import Checkpoint
from splitpose.training.loss import joint_loss
from splitpose.training.phase import LossError, People, Stopped, Watcher

SIZE = 32


def settings(**changes):
    numbers = {
        "batch_size": 4, "seed": 1, "validation_interval": 2, "plateau_patience": 1, "ema_decay": 0.9,
        "heatmap_fwhm": 3.0, "coordinate_loss": "squared", "devices": 1, "mixed_precision": False,
        "frozen": phase_settings(), "fine_tune": phase_settings(),
    }  # fmt: skip
    return Training(**(numbers | changes))


def phase_settings(**changes):
    return Phase(
        **({"iterations": 4, "learning_rate": 1e-3, "warmup_iterations": 0, "schedule": "plateau"} | changes)
    )


def people(count=4):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)
    return People(pixels, rng.uniform(4, 28, (count, 11, 2)).astype(np.float32))


def batches():
    import tensorflow as tf

    return tf.data.Dataset.from_tensors((people().pixels, people().joints)).repeat()


def other_batches():
    """Each has other people."""
    import tensorflow as tf

    def others(number):
        return tf.roll(people(8).pixels, number, 0)[:4], tf.roll(people(8).joints, number, 0)[:4]

    return tf.data.Dataset.range(1000).map(others)


def small_model():
    """Much less to compile than a variant's, and with all that matters here: BatchNorm has statistics too."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 8, 8, use_bias=False),
            layers.BatchNormalization(momentum=0.5),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(22),
            layers.Reshape((11, 2)),
        ]
    )


def trained(name=None, training=None, one=None, data=None, **options):
    """The small model, or the variant of that name, and its rows."""
    keras.utils.set_random_seed(2)
    model = models.build(name, SIZE, 0.25, momentum=0.5) if name else small_model()
    rows = phase.run(
        model,
        models.build_codec(name or "baseline", SIZE),
        (data or batches()).skip,
        people(),
        "fine_tune",
        training or settings(),
        one or phase_settings(),
        first_iteration=10,
        **options,
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
    codec = models.build_codec("baseline", SIZE)
    losses = joint_loss(codec)(people().joints, phase.predict(model, people().pixels))
    assert float(np.mean(losses)) == pytest.approx(best["val_loss"], rel=1e-4)


def test_the_same_seed_gives_the_same_weights():
    first, second = (trained("final")[0].get_weights() for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_learning_lowers_the_loss():
    _, rows = trained(
        one=phase_settings(iterations=40, learning_rate=3e-3), training=settings(validation_interval=20)
    )
    assert rows[-1]["train_loss"] < 0.5 * rows[0]["train_loss"]


def test_cosine_falls_to_zero_and_plateau_halves():
    _, rows = trained(one=phase_settings(iterations=4, schedule="cosine", warmup_iterations=2))
    assert rows[-1]["learning_rate"] == pytest.approx(0, abs=1e-9)
    _, rows = trained(one=phase_settings(iterations=20, learning_rate=1.0))
    halvings = np.log2(1.0 / rows[-1]["learning_rate"])
    assert halvings >= 1
    assert halvings == round(halvings)


def test_the_rate_is_halved_after_looks_that_bring_nothing():
    assert not phase.halve([5, 4, 4], 2)
    assert phase.halve([5, 4, 4, 4], 2)
    assert not phase.halve([5, 4, 4, 4, 4], 2)  # the halving is given as much time again
    assert phase.halve([5, 4, 4, 4, 4, 4], 2)
    assert not phase.halve([5, 4, 4, 4, 4, 3], 2)
    assert phase.halve([5, 4, 4, 4, 3, 4, 4], 2)
    assert not phase.halve([5, 4, 4, np.nan, 3], 3)


def made_up_looks(monkeypatch, pck_of):
    """Looks whose PCK is `pck_of(averaged)`; the list of the model's weights at each."""
    seen = []
    honest = phase._Course._row

    def row(course, averaged):
        seen.append((averaged, course.model.get_weights()))
        return honest(course, averaged) | {"val_pck_0.2": pck_of(averaged)}

    monkeypatch.setattr(phase._Course, "_row", row)
    return seen


@pytest.mark.parametrize("better", [False, True])
def test_averages_are_kept_where_validation_says_so(monkeypatch, better):
    seen = made_up_looks(monkeypatch, lambda averaged: 60.0 if averaged == better else 50.0)
    model, rows = trained(
        one=phase_settings(iterations=4, learning_rate=0.05), training=settings(validation_interval=4)
    )
    assert [(row["averaged"], row["val_pck_0.2"]) for row in rows] == [(better, 60.0)]
    weights = dict(seen)
    assert any((raw != average).any() for raw, average in zip(weights[False], weights[True], strict=True))
    assert all((a == b).all() for a, b in zip(model.get_weights(), weights[better], strict=True))


def test_without_averages_there_is_one_look(monkeypatch):
    seen = made_up_looks(monkeypatch, lambda averaged: 50.0)
    _, rows = trained(training=settings(ema_decay=0.0))
    assert [averaged for averaged, _ in seen] == [row["averaged"] for row in rows] == [False, False]


def test_looking_changes_nothing(monkeypatch):
    """With looks after 2, 4, 6 and 8 iterations the weights after 8 are those without the first three."""
    seen = made_up_looks(monkeypatch, lambda averaged: 50.0)
    one = phase_settings(iterations=8, learning_rate=0.05)
    for every in (2, 8):
        trained(training=settings(validation_interval=every, plateau_patience=9), one=one)
    often, once = [weights for averaged, weights in seen if not averaged][3:]
    assert all((a == b).all() for a, b in zip(often, once, strict=True))


def test_no_number_stops_with_the_iteration(monkeypatch):
    def spoil(joints, outputs):
        return keras.ops.sum(outputs * np.nan, axis=(1, 2))

    monkeypatch.setattr(phase, "joint_loss", lambda codec, coordinate_loss: spoil)
    with pytest.raises(LossError, match="the loss is nan at iteration 11; lower the learning rate") as raised:
        trained()
    assert raised.value.position == 0


class Killed(Exception):  # noqa: N818
    pass


def killing(*moments):
    """What ends training once at each moment: ("step" | "look", n) as SIGKILL does, ("stop", n) as SIGTERM.

    n counts iterations, or looks, over all runs.
    """
    left, counts = set(moments), {"step": 0, "look": 0}

    def come(what, number):
        counts[what] = number
        if (what, number) in left:
            left.remove((what, number))
            raise Killed

    def stop():
        moment = ("stop", counts["step"])
        due = moment in left
        left.discard(moment)
        return due

    notes = []
    watcher = Watcher(
        step=lambda iteration, loss: come("step", iteration - 10),
        look=lambda row: come("look", (row["iteration"] - 10) // 3),
        note=notes.append,
    )
    return watcher, stop, notes, left


@pytest.mark.parametrize("schedule", ["plateau", "cosine"])
def test_killed_at_any_moment_it_ends_the_same(tmp_path, schedule):
    how = {
        "one": phase_settings(iterations=9, learning_rate=0.05, schedule=schedule),
        "training": settings(validation_interval=3, plateau_patience=1),
        "data": other_batches(),
    }
    model, rows = trained(**how)
    checkpoint = Checkpoint(tmp_path / "fine_tune.checkpoint", "key")
    moments = [("stop", 1), ("step", 2), ("stop", 4), ("look", 2), ("stop", 6), ("look", 3)]
    watcher, stop, notes, left = killing(*moments)
    runs = 0
    while True:
        runs += 1
        try:
            again, rows_again = trained(**how, watcher=watcher, checkpoint=checkpoint, stop=stop)
            break
        except (Killed, Stopped):
            continue
    assert not left
    assert runs == len(moments) + 1
    assert notes[0] == "goes on after iteration 11"
    assert rows_again == rows
    assert all((a == b).all() for a, b in zip(again.get_weights(), model.get_weights(), strict=True))


def test_a_full_disk_is_told_and_training_goes_on(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Checkpoint, "write", full)
    notes = []
    watcher = Watcher(note=notes.append)
    _, rows = trained(watcher=watcher, checkpoint=Checkpoint(tmp_path / "fine_tune.checkpoint", "key"))
    assert len(rows) == 2
    assert notes == ["warning: no checkpoint could be written (No space left on device); training goes on"] * 2


def test_a_checkpoint_is_written_once_in_a_while(tmp_path, monkeypatch):
    clock = iter(range(0, 1000, 10))  # 10 s a look at it
    monkeypatch.setattr(phase.time, "monotonic", lambda: float(next(clock)))
    written = []
    monkeypatch.setattr(Checkpoint, "write", lambda self, saved: written.append(saved.facts["done"]))
    trained(
        training=settings(validation_interval=20),
        one=phase_settings(iterations=20),
        checkpoint=Checkpoint(tmp_path / "fine_tune.checkpoint", "key"),
    )
    assert written == [5, 10, 15, 20]


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
