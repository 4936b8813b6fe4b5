"""What training costs on this machine, in ratios of one run: variants, the frozen phase, reading the crops.

    python benchmarks/training.py [--size 224] [--width 1.0] [--batch 16] [--rounds 6] [--json FILE]

Whatever is compared takes its steps in turns, and a ratio is the median of the ratios within the rounds, so that a
machine that is busier for a while slows all alike. Processor time (of all cores) hardly feels what else runs.
"""

# isort: split
import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from rich.console import Console
from rich.table import Table

from splitpose import annotations, models
from splitpose.crops import shards
from splitpose.data import flic
from splitpose.files import write_json
from splitpose.models import backbone, registry
from splitpose.models.jointwise import JointwiseConvolution, allocate_channels, with_export_layers
from splitpose.models.variants.final import FILTERS
from splitpose.settings import Profile, load
from splitpose.skeleton import JOINTS
from splitpose.synthetic import sample
from splitpose.training.batches import training_batches
from splitpose.training.loss import joint_loss

Step = Callable[[], Any]

LAST_FROZEN = {"final": ("conv_pw_5_relu", "conv_pw_6_relu", "conv_pw_10_relu")}
"""The trunk's layers that give the new layers their input; the others have the trunk's last alone."""

PEOPLE = 40
"""Rendered people whose crops are read; each has as many copies as the paper's profile makes."""

IN_A_ROW = 12
"""Steps before the pipeline and the constant batch change over; the first third is not timed, since the pipeline
works ahead meanwhile."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tf.config.experimental.enable_op_determinism()  # as the training stages do
    about = (options.size, options.width, options.batch)
    found = {
        "fine_tuning": fine_tuning(*about, options.rounds),
        "frozen_phase": frozen_phase(*about, options.rounds),
        "input_pipeline": input_pipeline(*about),
    }
    show(found)
    if options.json:
        write_json(found, options.json)


def fine_tuning(size: int, width: float, batch: int, rounds: int) -> dict[str, Any]:
    """A step of every variant, and of the final one built in two other ways, over a step of the baseline.

    Each row of the other ways says as well how far its outputs are from the final variant's.
    """
    built = {name: models.build(name, size, width) for name in registry.list_variants()}
    final, crops = built["final"], next(iter(same_batch(size, batch)))[0]
    backbone.recalibrate_batch_norm(final, [crops] * 3)
    built["final, shared"] = models.build("final", size, width, split="shared")
    others = {"final, plain dense": with_export_layers(final), "final, 11 branches": in_branches(final)}
    wanted = final(crops, training=False)
    difference = {
        name: {"difference": float(np.abs(model(crops, training=False) - wanted).max())}
        for name, model in others.items()
    }
    steps = {name: training_step(model, same_batch(size, batch)) for name, model in (built | others).items()}
    return {name: row | difference.get(name, {}) for name, row in ratios(steps, "baseline", rounds).items()}


def frozen_phase(size: int, width: float, batch: int, rounds: int) -> dict[str, Any]:
    """A step of the frozen phase over the trunk's forward pass and a training step of the new layers alone."""
    found = {}
    crops, joints = next(iter(same_batch(size, batch)))
    for name in ("baseline", "final"):
        model = models.build(name, size, width)
        backbone.freeze(model, models.get_variant(name).TRAINABLE_BACKBONE_BLOCKS)
        last = LAST_FROZEN.get(name, ("conv_pw_13_relu",))
        forward = keras.Model(model.input, [model.get_layer(layer).output for layer in last])
        features = tuple(keras.tree.flatten(forward(tf.cast(crops, tf.float32), training=False)))
        new = keras.Model(forward.outputs, model.output, name=name)
        steps = {
            "step": training_step(model, same_batch(size, batch)),
            "forward": forward_step(forward, crops),
            "new": training_step(new, tf.data.Dataset.from_tensors((features, joints)).repeat(), size),
        }
        times = timed(steps, rounds)
        found[name] = figures(times["step"], times["forward"] + times["new"])
    return found


def input_pipeline(size: int, width: float, batch: int) -> dict[str, Any]:
    """Throughput of the cheapest model with rendered crops read from disk, over that with one batch in memory."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        read = training_batches(rendered_crops(Path(folder), size), size, batch, seed=1)
        for phase in ("frozen phase", "fine-tuning"):
            steps = {}
            for kind, batches in (("constant", same_batch(size, batch)), ("read", read)):
                model = models.build("baseline", size, width)
                if phase == "frozen phase":
                    backbone.freeze(model, ())
                steps[kind] = training_step(model, batches)
            times = timed(steps, rounds=4, in_a_row=IN_A_ROW)
            found[f"baseline, {phase}"] = float(np.median(times["constant"][:, 0] / times["read"][:, 0]))
    return found


def in_branches(final: keras.Model) -> keras.Model:
    """The final variant, sliced, with a branch of Keras' own layers a joint after the cut; weights are copied."""
    at_28 = final.get_layer("add_28").output
    channels = allocate_channels(at_28.shape[-1], FILTERS)
    momentum = final.get_layer("split_dw_bn").momentum
    heatmaps = []
    for joint, end, width in zip(JOINTS, np.cumsum(channels).tolist(), channels, strict=True):
        x = at_28[..., end - width : end]
        x = layers.UpSampling2D(interpolation="bilinear")(x)
        x = backbone.depthwise(x, f"{joint}_dw", momentum)
        x = layers.Conv2D(width, 1, use_bias=False, name=f"{joint}_pw")(x)
        x = backbone.norm_relu(x, f"{joint}_pw", momentum)
        heatmaps.append(layers.Conv2D(1, 1, name=f"{joint}_heatmap")(x))
    model = keras.Model(final.input, layers.Concatenate()(heatmaps), name="final")
    model = keras.models.clone_model(model)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(of_branch(final, layer.name, channels))
    return model


def of_branch(final: keras.Model, name: str, channels: tuple[int, ...]) -> list[np.ndarray]:
    """The weights that a layer of `in_branches` has in the final variant."""
    joint, _, part = name.partition("_")
    if joint not in JOINTS:
        return final.get_layer(name).get_weights()
    number = JOINTS.index(joint)
    own = slice(sum(channels[:number]), sum(channels[: number + 1]))
    if part == "heatmap":
        layer = final.get_layer("heatmaps")
        return [np.asarray(layer.kernels[number])[None, None], np.asarray(layer.bias)[number : number + 1]]
    layer = final.get_layer(f"split_{part}")
    if isinstance(layer, JointwiseConvolution):
        return [np.asarray(layer.kernels[number])[None, None]]
    return [weights[:, :, own] if weights.ndim == 4 else weights[own] for weights in layer.get_weights()]


def training_step(model: keras.Model, batches: tf.data.Dataset, size: int | None = None) -> Step:
    """A step as Keras compiles it for `fit`; `size` of the crops if the model takes something else."""
    codec = models.build_codec(model.name, size or model.input.shape[1])
    model.compile(keras.optimizers.Adam(1e-4, use_ema=True, ema_momentum=0.9), joint_loss(codec))
    model.make_train_function()
    iterator = iter(batches)
    return lambda: model.train_function(iterator)


def forward_step(model: keras.Model, crops: Any) -> Step:
    """A forward pass as Keras compiles it for `predict`."""
    model.make_predict_function()
    return lambda: model.predict_function([(crops,)])


def same_batch(size: int, batch: int) -> tf.data.Dataset:
    """One batch in memory, again and again."""
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (batch, size, size, 3), np.uint8)
    joints = rng.uniform(0, size - 1, (batch, len(JOINTS), 2)).astype(np.float32)
    return tf.data.Dataset.from_tensors((crops, joints)).repeat()


def rendered_crops(folder: Path, size: int) -> Path:
    """A folder with training crops of rendered people, made with the paper's settings."""
    settings = load(Profile, Path(__file__).parents[1] / "profiles" / "flic.yaml").crops
    sample.render(folder / "raw", PEOPLE, films=5, seed=1, workers=shards.WORKERS)
    people = annotations.below(flic.read(folder / "raw", "observer").table, "raw").assign(split="train")
    settings = settings.model_copy(update={"size": size})
    shards.write(shards.plan(people, folder, settings), folder, settings, folder / "crops")
    return folder / "crops"


def timed(steps: dict[str, Step], rounds: int, in_a_row: int = 1) -> dict[str, np.ndarray]:
    """Seconds on the clock and of processors, (rounds, 2), of all steps, which take turns after a first."""
    for step in steps.values():
        finish(step())
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            for _ in range(in_a_row // 3):
                finish(step())
            clock, processors = perf_counter(), process_time()
            for _ in range(in_a_row - in_a_row // 3):
                finish(step())
            times[name].append((perf_counter() - clock, process_time() - processors))
    return {name: np.array(of_one) for name, of_one in times.items()}


def finish(outputs: Any) -> None:
    """Wait until what a step gives is there."""
    for tensor in tf.nest.flatten(outputs):
        tensor.numpy()


def figures(times: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """The ratios of the times (rounds, 2) to those of a reference, and milliseconds a step."""
    clock, processors = np.median(times / reference, axis=0)
    return {"ratio": float(clock), "processor_ratio": float(processors), "ms": float(np.median(times[:, 0]) * 1e3)}


def ratios(steps: dict[str, Step], reference: str, rounds: int) -> dict[str, Any]:
    """The figures of all steps."""
    times = timed(steps, rounds)
    return {name: figures(of_one, times[reference]) for name, of_one in times.items()}


def show(found: dict[str, Any]) -> None:
    """Print the tables."""
    console = Console()
    table = Table("fine-tuning", "a step / baseline's", "in processor time", "ms", "outputs differ by")
    for name, row in found["fine_tuning"].items():
        apart = f"{row['difference']:.0e}" if "difference" in row else ""
        table.add_row(name, f"{row['ratio']:.2f}", f"{row['processor_ratio']:.2f}", f"{row['ms']:.0f}", apart)
    console.print(table)
    table = Table("frozen phase", "a step / forward pass + new layers", "in processor time", "ms")
    for name, row in found["frozen_phase"].items():
        table.add_row(name, f"{row['ratio']:.2f}", f"{row['processor_ratio']:.2f}", f"{row['ms']:.0f}")
    console.print(table)
    table = Table("crops read from disk", "throughput / that with one batch in memory")
    for name, row in found["input_pipeline"].items():
        table.add_row(name, f"{row:.1%}")
    console.print(table)


if __name__ == "__main__":
    main()
