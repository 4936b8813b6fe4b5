import errno
import logging

import keras
import numpy as np
import pytest
from support.training import (
    SIZE,
    different_batches,
    equal_batches,
    phase_settings,
    random_crops,
    small_model,
    training_settings,
)

from splitpose import models
from splitpose.evaluation import training_history
from splitpose.models.predict import predict
from splitpose.training import callbacks, loop
from splitpose.training.callbacks import NonFiniteLossError, TrainingStopped, ValidationCallback
from splitpose.training.checkpoint import Checkpoint
from splitpose.training.loss import joint_loss
from splitpose.training.phase import PhaseConfig, TrainingControl, TrainingData, TrainingListener

pytestmark = pytest.mark.integration


def train(name=None, batches=None, control=None, shared=None, **changes):
    """Train the small model, or the variant of that name; return the model and the rows.

    Args:
        name: of the variant.
        batches: dataset of batches, by default all the same.
        control: of the training loop.
        shared: changes of the settings that both phases share.
        **changes: changes of the phase's settings.
    """
    keras.utils.set_random_seed(2)
    model = models.build(name, SIZE, 0.25, momentum=0.5) if name else small_model()
    training = training_settings(fine_tune=phase_settings(**changes), **(shared or {}))
    rows = loop.train(
        model,
        models.build_codec(name or "baseline", SIZE),
        TrainingData((batches or equal_batches()).skip, random_crops()),
        PhaseConfig("fine_tune", training, first_iteration=10),
        control,
    )
    return model, rows


def assert_same_weights(first, second):
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


class RecordingListener(TrainingListener):
    def __init__(self):
        self.events = []

    def on_iteration(self, iteration, loss):
        self.events.append(iteration)

    def on_validation(self, row):
        self.events.append(row["iteration"])


def test_rows_and_events_of_a_phase():
    listener = RecordingListener()
    _, rows = train(control=TrainingControl([listener]))
    assert [row["iteration"] for row in rows] == [12, 14]
    assert listener.events == [11, 12, 12, 13, 14, 14]
    assert set(rows[0]) == set(training_history.COLUMNS)


def test_model_has_the_weights_of_the_best_validation_step():
    model, rows = train(iterations=8, learning_rate=0.05)
    best = max(rows, key=lambda row: (row["val_pck_0.2"], -row["val_loss"]))
    crops = random_crops()
    losses = joint_loss(models.build_codec("baseline", SIZE))(crops.joints, predict(model, crops.pixels))
    assert float(np.mean(losses)) == pytest.approx(best["val_loss"], rel=1e-4)


def test_same_seed_results_in_same_weights():
    assert_same_weights(*(train("final")[0].get_weights() for _ in range(2)))


def test_training_lowers_the_loss():
    _, rows = train(iterations=40, learning_rate=3e-3, shared={"validation_interval": 20})
    assert rows[-1]["train_loss"] < 0.5 * rows[0]["train_loss"]


def test_cosine_decays_to_zero_and_plateaus_halve_the_learning_rate():
    _, rows = train(schedule="cosine", warmup_iterations=2)
    assert rows[-1]["learning_rate"] == pytest.approx(0, abs=1e-9)
    _, rows = train(iterations=20, learning_rate=1.0)
    halvings = np.log2(1.0 / rows[-1]["learning_rate"])
    assert halvings >= 1
    assert halvings == round(halvings)


def fake_pck(monkeypatch, pck_of):
    """Make validation steps report a PCK of `pck_of(averaged)`.

    Returns:
        A list to which each evaluation appends whether the weights are averaged, and the weights.
    """
    evaluations = []
    original = ValidationCallback._row

    def row(callback, averaged):
        evaluations.append((averaged, callback.model.get_weights()))
        return original(callback, averaged) | {"val_pck_0.2": pck_of(averaged)}

    monkeypatch.setattr(ValidationCallback, "_row", row)
    return evaluations


@pytest.mark.parametrize("better", [False, True])
def test_averaged_weights_are_kept_if_they_are_better(monkeypatch, better):
    evaluations = fake_pck(monkeypatch, lambda averaged: 60.0 if averaged == better else 50.0)
    model, rows = train(learning_rate=0.05, shared={"validation_interval": 4})
    assert [(row["averaged"], row["val_pck_0.2"]) for row in rows] == [(better, 60.0)]
    weights = dict(evaluations)
    assert any((raw != average).any() for raw, average in zip(weights[False], weights[True], strict=True))
    assert_same_weights(model.get_weights(), weights[better])


def test_without_ema_only_the_weights_are_evaluated(monkeypatch):
    evaluations = fake_pck(monkeypatch, lambda averaged: 50.0)
    _, rows = train(shared={"ema_decay": 0.0})
    assert [averaged for averaged, _ in evaluations] == [row["averaged"] for row in rows] == [False, False]


def test_validation_steps_do_not_influence_training(monkeypatch):
    """The weights after 8 iterations are the same with four validation steps and with one."""
    evaluations = fake_pck(monkeypatch, lambda averaged: 50.0)
    for interval in (2, 8):
        train(iterations=8, learning_rate=0.05, shared={"validation_interval": interval, "plateau_patience": 9})
    many, one = [weights for averaged, weights in evaluations if not averaged][3:]
    assert_same_weights(many, one)


def test_nan_loss_is_reported_with_the_iteration(monkeypatch):
    def nan_loss(joints, outputs):
        return keras.ops.sum(outputs * np.nan, axis=(1, 2))

    monkeypatch.setattr(loop, "joint_loss", lambda codec, coordinate_loss: nan_loss)
    with pytest.raises(
        NonFiniteLossError, match="the loss is nan at iteration 11; lower the learning rate"
    ) as raised:
        train()
    assert raised.value.position == 0


class Killed(Exception):  # noqa: N818
    pass


class Interruptions(TrainingListener):
    """Interrupts training once at each event: ("iteration" | "validation", n) as SIGKILL, ("stop", n) as SIGTERM.

    n counts the iterations, or validation steps, of the phase.
    """

    def __init__(self, *events):
        self.pending, self.iteration = set(events), 0

    def on_iteration(self, iteration, loss):
        self.iteration = iteration - 10
        self._kill_at("iteration", self.iteration)

    def on_validation(self, row):
        self._kill_at("validation", (row["iteration"] - 10) // 3)

    def _kill_at(self, event, number):
        if (event, number) in self.pending:
            self.pending.remove((event, number))
            raise Killed

    def should_stop(self):
        event = ("stop", self.iteration)
        requested = event in self.pending
        self.pending.discard(event)
        return requested


@pytest.mark.parametrize("schedule", ["plateau", "cosine"])
def test_interrupted_training_has_the_same_result(tmp_path, caplog, schedule):
    options = {
        "iterations": 9,
        "learning_rate": 0.05,
        "schedule": schedule,
        "shared": {"validation_interval": 3, "plateau_patience": 1},
        "batches": different_batches(),
    }
    model, rows = train(**options)
    events = [("stop", 1), ("iteration", 2), ("stop", 4), ("validation", 2), ("stop", 6), ("validation", 3)]
    interruptions = Interruptions(*events)
    control = TrainingControl(
        [interruptions], Checkpoint(tmp_path / "fine_tune.checkpoint", "key"), interruptions.should_stop
    )
    runs = 0
    with caplog.at_level(logging.INFO, "splitpose"):
        while True:
            runs += 1
            try:
                resumed, resumed_rows = train(**options, control=control)
                break
            except (Killed, TrainingStopped):
                continue
    assert not interruptions.pending
    assert runs == len(events) + 1
    assert caplog.messages[0] == "resuming after iteration 11"
    assert resumed_rows == rows
    assert_same_weights(resumed.get_weights(), model.get_weights())


def test_full_disk_is_reported_and_training_continues(tmp_path, monkeypatch, caplog):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Checkpoint, "write", fail)
    control = TrainingControl(checkpoint=Checkpoint(tmp_path / "fine_tune.checkpoint", "key"))
    _, rows = train(control=control)
    assert len(rows) == 2
    message = "warning: no checkpoint could be written (No space left on device); training continues"
    assert caplog.messages == [message] * 2


def test_checkpoints_are_written_at_regular_intervals(tmp_path, monkeypatch):
    clock = iter(range(0, 1000, 10))  # each reading is 10 s after the one before
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: float(next(clock)))
    written = []
    monkeypatch.setattr(Checkpoint, "write", lambda self, state, variables: written.append(state.done))
    train(
        iterations=20,
        shared={"validation_interval": 20},
        control=TrainingControl(checkpoint=Checkpoint(tmp_path / "fine_tune.checkpoint", "key")),
    )
    assert written == [5, 10, 15, 20]
